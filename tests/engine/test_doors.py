"""engine/__init__.py: the three doors, as the README shows them, however the rooms were imported before."""

import subprocess
import sys

import pytest

LOOK = """
{first}
import engine
from engine.train.loop import train
project = engine.open_project({path!r})
for _ in range(2):
    run = engine.train(project)
    assert type(run) is type(train(project)), run
    assert next(run).words
    run.close()
assert callable(engine.load_model)
"""


@pytest.mark.parametrize("first", ["", "import engine.train.progress", "from engine.train.loop import train"])
def test_a_training_is_a_call_away_again_and_again(first, projects):
    path = str(projects / "digits" / "digits-binary.polybit")
    done = subprocess.run(
        [sys.executable, "-c", LOOK.format(first=first, path=path)],
        cwd=projects.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
