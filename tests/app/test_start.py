"""Starting without a screen: one sentence, and the same job done headless."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from engine.files.run import read_run

ROOT = Path(__file__).parents[2]


def test_without_a_screen_the_project_is_trained_instead(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "engine", "open", str(ROOT / "projects" / "car" / "car.polybit")]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(Path.home())}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "There is no screen here" in done.stderr
    assert "Test accuracy" in done.stdout
    assert read_run(tmp_path / "run.h5").finished
