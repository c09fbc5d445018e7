"""Start the window: python -m app [PROJECT]."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import engine
from engine.cli.main import main as headless
from engine.kernels.jit import spare_scipy

RUN_FILE = "run.h5"


def run(arguments: Sequence[str]) -> int:
    """Open the window, on a project where one is named, and return the exit status.

    Where there is no screen it says so, and trains the project it was to open.
    """
    stray, no_screen = stray_engine_sentence(), no_screen_sentence(*arguments[:1])
    if stray or no_screen:
        print(f"polybit: {stray or no_screen}", file=sys.stderr)  # noqa: T201 - there is no window yet
        if stray or not arguments:
            return 1
        return headless(["train", arguments[0], "--out", RUN_FILE])
    from app.window.start import start

    return start(Path(arguments[0]) if arguments else None)


def main() -> int:
    """Open the window with the arguments of this process."""
    spare_scipy()
    return run(sys.argv[1:])


def no_screen_sentence(
    project: str = "", *, platform: str = sys.platform, environment: Mapping[str, str] = os.environ
) -> str:
    """Return what to say where no window can open, "" where one can.

    Args:
        project: the project that was to be opened, for the command that does the same job.
        platform: as `sys.platform`.
        environment: as `os.environ`.
    """
    needs_display = not platform.startswith(("win", "darwin", "cygwin"))
    has_display = any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))
    if not needs_display or has_display:
        return ""
    command = f"polybit train {project or 'PROJECT'} --out {RUN_FILE}"
    return f"There is no screen here, so the window cannot open; the same job without one is: {command}"


def stray_engine_sentence() -> str:
    """Return what is wrong where the engine is not the one beside this window, else ""."""
    here, there = Path(__file__).resolve().parent.parent, Path(str(engine.__file__)).resolve().parent.parent
    if here == there:
        return ""
    return (
        f"The window in {here} found another engine in {there}. They must be of one version: "
        "run it from its own environment."
    )


if __name__ == "__main__":
    raise SystemExit(main())
