"""Sides of a comparison in processes of their own, so that threads, memory and libraries stay apart."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..errors import PolybitError

_INSTALL = "pip install -e '.[bench]' brings it."
_ROOT = Path(__file__).parents[2]
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class SideError(PolybitError):
    """A side of a comparison cannot be measured; the sentence says why."""


class Side:
    """A process that does a piece of work as often as it is told; a context manager that ends it.

    Attributes:
        ready: seconds from the start of the process until it had done its work once.
    """

    def __init__(
        self, module: str, job: dict[str, Any], *, cores: int, python: str = sys.executable, clock: str = ""
    ) -> None:
        """Start `engine.bench.sides.MODULE` and wait until it has warmed up.

        Args:
            module: which side.
            job: what it works on, in JSON.
            cores: cores and threads it may use.
            python: the interpreter that has the side's library.
            clock: `wall` or `processor`; left out, the processor's on one core and the wall's on more.

        Raises:
            SideError: its library is not installed, or it failed.
        """
        self._module = module
        self._clock = clock or ("processor" if cores == 1 else "wall")
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        env = {**os.environ, **dict.fromkeys(_THREADS, str(cores)), "PYTHONPATH": str(_ROOT)}
        env |= {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_USE_LEGACY_KERAS": "1"}
        words = [python, "-m", f"engine.bench.sides.{module}", json.dumps({**job, "cores": cores})]
        began = time.perf_counter()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, an interpreter the user named
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, env=env, text=True
            )
        except OSError as error:
            self._errors.close()
            raise SideError(f"{python} cannot be started ({error.strerror}).") from error
        try:
            self._answer()
        except SideError:
            self.close()
            raise
        self.ready = time.perf_counter() - began

    def time(self, repeats: int) -> float:
        """Return the seconds that `repeats` calls of the work take.

        By the processor's clock, what other programs take of a shared machine does not count.
        """
        return float(self._ask(str(repeats))[self._clock])

    def peak_mb(self) -> float:
        """Return the peak of its resident memory so far, in MB."""
        return float(self._ask("peak")["peak_mb"])

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, line: str) -> dict[str, Any]:
        if self._process.stdin:
            try:
                self._process.stdin.write(line + "\n")
                self._process.stdin.flush()
            except OSError:  # it has ended: what it said last is read below
                pass
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if line:
            told: dict[str, Any] = json.loads(line)
            return told
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip().split("\n")[-1]
        absent = re.search(r"No module named '(\w+)", said)
        if absent:
            raise SideError(f"{absent[1]} is not installed.", do=_INSTALL)
        raise SideError(f"The side {self._module} ended: {said[:300] or 'it said nothing'}")
