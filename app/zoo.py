"""Writes the projects of the zoo: `python -m app.zoo`, after a change in engine/zoo or engine/templates."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

from PySide6.QtGui import QGuiApplication

from app.canvas.layout import arrange
from engine.files.project import probed, save_project
from engine.zoo import ZOO

FOLDER = Path(__file__).parents[1] / "projects" / "zoo"


def write(folder: Path) -> None:
    """Write every network of the zoo into `folder`, beside the data, its nodes arranged."""
    for key, build in ZOO.items():
        path = folder / f"{key}.polybit"
        project = probed(replace(build(), path=path))
        save_project(replace(project, graph=arrange(project.graph)), path)


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QGuiApplication(sys.argv)  # measures the titles; it must stay alive meanwhile
    write(FOLDER)
