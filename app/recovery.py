"""Copies of unsaved work that outlive a crash: one file for each running window, in the user's data folder.

Each window locks a file beside its copy. A copy whose lock can be taken belongs to a window that is gone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from PySide6.QtCore import QLockFile, QStandardPaths

from engine.errors import PolybitError
from engine.files.atomic import write_text
from engine.files.project import SUFFIX, Project, probed, project_text, read_project

_ORIGIN = "recovered_from"


@dataclass(frozen=True)
class Left:
    """Work that a window that is gone left behind.

    Attributes:
        file: the copy.
        project: what it holds, at the path it had.
    """

    file: Path
    project: Project

    def discard(self) -> None:
        """Remove the copy."""
        self.file.unlink(missing_ok=True)
        self.file.with_suffix(".lock").unlink(missing_ok=True)


def recovery_folder() -> Path:
    """Return the folder of the copies: `POLYBIT_STATE` or the system's place for a program's data."""
    home = os.environ.get("POLYBIT_STATE") or QStandardPaths.writableLocation(
        QStandardPaths.StandardLocation.AppLocalDataLocation
    )
    return Path(home) / "recovery"


class Recovery:
    """The copy of one window."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / f"{uuid4().hex}{SUFFIX}"
        self.lock = QLockFile(str(self._file.with_suffix(".lock")))
        self.lock.setStaleLockTime(0)
        self.locked = self.lock.tryLock(0)

    def keep(self, project: Project) -> None:
        """Write the copy."""
        origin = str(project.path.absolute()) if project.path else ""
        copy = replace(project, view={**project.view, _ORIGIN: origin})
        write_text(self._file, project_text(copy))

    def forget(self) -> None:
        """Remove the copy."""
        self._file.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove the copy and let go of the lock: the window closes as it should."""
        self.forget()
        self.lock.unlock()


def left_behind(folder: Path) -> tuple[Left, ...]:
    """Return what windows that are gone left in `folder`, newest first; broken copies are removed."""
    found = []
    for file in sorted(folder.glob(f"*{SUFFIX}"), key=lambda f: f.stat().st_mtime, reverse=True):
        lock = QLockFile(str(file.with_suffix(".lock")))
        lock.setStaleLockTime(0)
        if not lock.tryLock(0):
            continue
        lock.unlock()
        try:
            found.append(Left(file, _read(file)))
        except PolybitError:
            file.unlink(missing_ok=True)
    return tuple(found)


def _read(file: Path) -> Project:
    project = read_project(file.read_text(encoding="utf-8"), file.name)
    view = dict(project.view)
    origin = view.pop(_ORIGIN, "")
    return probed(replace(project, view=view, path=Path(origin) if origin else None))
