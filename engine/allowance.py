"""How long guards may take over hard records: for all that are answered together, not for each.

Most records take microseconds. A hard one may take seconds, so that a batch of ten thousand could take hours.
A guard has an allowance for what goes beyond that: when it is used up, what is left is still answered by what
is found at once, marked as not proven; after as long again, what has no answer then is marked as unknown.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from typing import Any

from .fields import real

SECONDS = 60.0
_LEAST = 1.0  # seconds beyond any allowance in which answers are looked for
_HELP = "For all hard records answered at once, together; what is left is repaired, not proven the cheapest"


def batch_seconds() -> Any:
    """Declare the allowance of a guard."""
    return real(SECONDS, 0.0, 86_400.0, _HELP, unit="s", title="Seconds a batch")


class Allowance:
    """Seconds to be spent on hard records.

    Args:
        seconds: how many.
    """

    def __init__(self, seconds: float = inf) -> None:
        self.seconds = self.left = seconds
        self._late = 0.0  # seconds for answers at once, after it was used up

    @property
    def over(self) -> bool:
        """Whether it is used up."""
        return self.left <= 0

    @property
    def overdrawn(self) -> bool:
        """Whether answers at once have taken as much again."""
        return self._late >= max(self.seconds, _LEAST)

    @contextmanager
    def spent(self, free: float = 0.0, *, at_once: bool = False) -> Iterator[None]:
        """Take off it what the inside takes.

        Args:
            free: seconds that are not counted.
            at_once: whether the inside is the last that can be done where it is used up.
        """
        began, late = time.monotonic(), self.over and at_once
        try:
            yield
        finally:
            took = time.monotonic() - began
            self.left -= max(took - free, 0.0)
            self._late += took if late else 0.0


class _Here(threading.local):
    batch: dict[int, Allowance] | None = None
    now: Allowance | None = None


_here = _Here()


@contextmanager
def together() -> Iterator[None]:
    """Let each guard have one allowance for all its calls inside, on this thread."""
    before = _here.batch
    _here.batch = {} if before is None else before
    try:
        yield
    finally:
        _here.batch = before


@contextmanager
def allowed(whose: object, seconds: float) -> Iterator[Allowance]:
    """Let the engines that are called inside, on this thread, spend the allowance of a guard.

    Args:
        whose: the guard; inside of `together` all its calls share one.
        seconds: the allowance of a batch.
    """
    before = _here.now
    fresh = Allowance(seconds)
    _here.now = fresh if _here.batch is None else _here.batch.setdefault(id(whose), fresh)
    try:
        yield _here.now
    finally:
        _here.now = before


def current() -> Allowance:
    """Return the allowance that holds here; without end where there is none."""
    return _here.now or Allowance()
