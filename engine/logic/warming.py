"""Compiling the kernels of repair before they are needed, in a process of its own with little priority.

Compiling takes the interpreter's lock for half a minute, so in a thread it would make a window stutter; the
machine code is kept on disk, from where this program takes it then. Where it is there already nothing is
started. The process ends with this one: its input ends.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np

from ..kernels.keeping import is_kept
from .normal import AtLeast, NormalForm

_ROOT = Path(__file__).parents[2]


class Warming:
    """Starts the process, once."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start compiling, unless that was done before; never waits."""
        from ..kernels.repair import sweep
        from ..kernels.repair_search import search_rows

        if self._process is None and not (is_kept(sweep) and is_kept(search_rows)):
            paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
            with suppress(OSError):  # then they are compiled when they are needed
                self._process = subprocess.Popen(  # noqa: S603 - our own module under our own interpreter
                    [sys.executable, "-P", "-m", __name__],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
                    creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                )
                atexit.register(self.stop)

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdin:
                self._process.stdin.close()

    def wait(self, seconds: float) -> bool:
        """Return whether it ended well within so many seconds, or never had to begin."""
        return self._process is None or self._process.wait(seconds) == 0


_WARMING = Warming()


def kernels_ready() -> None:
    """See to it that the kernels of repair are compiled, beside whatever goes on."""
    _WARMING.start()


# Inside the process


def _compile() -> None:
    from .pipeline import Engine

    clauses = (AtLeast((1, 2), 1, rule=0), AtLeast((-1, 2), 1, rule=1))
    form = NormalForm(("a", "b"), 0, clauses, ("1", "2"), np.zeros(2, np.bool_), np.zeros(2, np.int64))
    for tool in ("search", "diagram"):
        for cost in (1, 1 << 40):  # sums of 32 and of 64 bits
            Engine(form, only=tool)(np.zeros((1, 2), np.bool_), np.full((1, 2), cost))


def main() -> None:
    """Compile, or end where the program ends that started this."""

    def watch() -> None:
        sys.stdin.buffer.read()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    with suppress(AttributeError, OSError):
        os.nice(19)
    _compile()
    os._exit(0)  # the thread reads still


if __name__ == "__main__":
    main()
