"""The door to the solver process: starts it when it is first asked, kills it at a deadline, starts another.

There is one process per program (`shared_solver`), and one for rules being written. Any thread may ask;
they take turns. The process dies with this one: its input ends.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

from ..errors import SolverError
from .messages import read_message, unpacked, write_message

_PATIENCE = 0.5  # seconds that closing waits for a request in hand
_GRACE = 5.0  # seconds that the process may take to encode rules and to end its last question
_END = 1.0  # seconds that it may take to tell what it knows, once its time is over
_START = 60.0  # seconds that it may take to start, which it does in one, on a host that is not busy
_ROOT = Path(__file__).parents[2]
PREPARED = ("--prepared",)  # what the process is told, to load what checking takes before it is asked


class _LateError(SolverError):
    """The process was killed at the end of its time."""


class Solver:
    """One solver process, started when it is first needed.

    Args:
        prepared: whether the process loads what checking a text takes as soon as it starts.
    """

    def __init__(self, *, prepared: bool = False) -> None:
        self._lock, self._prepared = threading.Lock(), prepared
        self._process: subprocess.Popen[bytes] | None = None
        self._greeted = False

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process, if it does not live, so that the first question waits less; never waits itself.

        Raises:
            SolverError: it cannot be started.
        """
        if self._lock.acquire(blocking=False):  # where it is taken somebody asks already
            try:
                self._started()
            finally:
                self._lock.release()

    def cheapest(
        self, key: str, form: dict[str, Any], record: dict[str, Any], seconds: float
    ) -> dict[str, Any] | None:
        """Return the answer about one record (cheapest.py), or None where the process had to be killed.

        Args:
            key: names `form`: no other form has it.
            form: clauses and how many variables they have.
            record: facts, soft literals and their costs.
            seconds: after which it is to answer with what it has.

        Raises:
            SolverError: python-sat is not installed, or the process died.
        """
        asked = {"rules": key, "record": {**record, "within": seconds}}
        try:
            found: dict[str, Any] = self._ask_rules(asked, form, seconds + _GRACE)["cheapest"]
        except _LateError:
            return None
        return found

    def reason(
        self, key: str, form: dict[str, Any], asked: dict[str, Any], seconds: float
    ) -> list[int] | None:
        """Return which of the sets of literals in `asked` conflict, none to spare (reasons.py).

        Args:
            key: names `form`: no other form has it.
            form: clauses and how many variables they have.
            asked: facts, and the sets in the order in which they are left out, if they can be.
            seconds: after which the process is killed, and the answer is None; [] where there is no conflict.

        Raises:
            SolverError: python-sat is not installed, or the process died.
        """
        try:
            found: list[int] = self._ask_rules({"rules": key, "reason": asked}, form, seconds)["reason"]
        except _LateError:
            return None
        return found

    def examine(self, key: str, form: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """Return what examine.py asks of `form`, named `key`, as far as it is found within `seconds`.

        None where the process had to be killed, since not even the rules could be handed over in time.

        Raises:
            SolverError: python-sat is not installed, or the process died.
        """
        asked = {"rules": key, "within": seconds}
        try:
            found: dict[str, Any] = self._ask_rules(asked, form, seconds + _END)["examined"]
        except _LateError:
            return None
        count = int(form["outputs"])
        return {**found, "witnesses": [[rule, unpacked(bits, count)] for rule, bits in found["witnesses"]]}

    def check(self, key: str, form: dict[str, Any], within: float, seconds: float) -> dict[str, Any]:
        """Return what is known of the rule text in `form`, named `key`, or {"going": true} (checking.py).

        Args:
            key: names `form`: no other text, vocabulary and origins have it.
            form: text, vocabulary and origins.
            within: seconds to go on for; 0 asks only for what is known so far.
            seconds: after which the process is killed.

        Raises:
            SolverError: python-sat is not installed, or the process died or took too long.
        """
        return self._ask_rules({"check": key, "within": within}, form, seconds)

    def close(self) -> None:
        """End the process, in the middle of another thread's request too. The next request starts another."""
        if not self._lock.acquire(timeout=_PATIENCE):
            process = self._process
            if process is not None:
                process.kill()
            self._lock.acquire()
        try:
            self._end()
        finally:
            self._lock.release()

    # Inside: callers hold the lock

    def _ask_rules(self, request: dict[str, Any], form: dict[str, Any], seconds: float) -> dict[str, Any]:
        with self._lock:
            told = {**request, "seconds": seconds}
            answer = self._ask(told, seconds)
            if "missing" in answer:
                answer = self._ask({**told, "form": form}, seconds)
        return _worked(answer)

    def _ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        process = self._started()
        if not self._greeted:  # its start is no part of the time of a question
            self._exchange(process, None, _START)
            self._greeted = True
        return self._exchange(process, request, seconds)

    def _exchange(
        self, process: subprocess.Popen[bytes], request: dict[str, Any] | None, seconds: float
    ) -> dict[str, Any]:
        to, back = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        late = threading.Event()

        def give_up() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(seconds, give_up)
        timer.daemon = True
        timer.start()
        answer = None
        try:
            with suppress(OSError, ValueError):
                if request is not None:
                    write_message(to, {**request, "asked": time.time()})
                answer = read_message(back)
        finally:
            timer.cancel()
            timer.join()
            if answer is None or late.is_set():
                self._end()
        if answer is None:
            raise _silent(seconds, late=late.is_set())
        return answer

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or not self.running:
            self._end()
            self._process, self._greeted = _start(PREPARED if self._prepared else ()), False
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with suppress(OSError):
                    pipe.close()
        try:
            process.wait(1.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _forget(self) -> None:
        # In a forked child: the process and its pipes are the parent's.
        self._lock = threading.Lock()
        if self._process is not None:
            self._process.returncode = 0
            self._process = None


_SHARED, _CHECKS = Solver(), Solver(prepared=True)
for _each in (_SHARED, _CHECKS):
    atexit.register(_each.close)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_each._forget)  # noqa: SLF001 - ours


def shared_solver() -> Solver:
    """Return the one solver of this program."""
    return _SHARED


def checking_solver() -> Solver:
    """Return the solver that checks what somebody is writing: it never waits for one that repairs records."""
    return _CHECKS


def _start(words: tuple[str, ...]) -> subprocess.Popen[bytes]:
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, "-P", "-m", f"{__package__}.solver_process", *words]
    try:
        return subprocess.Popen(  # noqa: S603 - our own module under our own interpreter
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError as error:
        raise SolverError(f"The solver process cannot be started: {error.strerror or error}.") from None


def _silent(seconds: float, *, late: bool) -> SolverError:
    if late:
        words = f"The solver was stopped after {seconds:g} seconds without an answer."
        return _LateError(words, do="Simplify the rules; the next question starts it again.")
    words = "The solver process died before it answered."
    return SolverError(words, do="The next question starts it again.")


def _worked(answer: dict[str, Any]) -> dict[str, Any]:
    if "absent" in answer:
        raise SolverError("python-sat is not installed.", do="Rules need it: pip install 'polybit[logic]'.")
    if "failed" in answer:
        raise SolverError(f"The solver failed: {answer['failed']}.", do="Please report it with the rules.")
    return answer
