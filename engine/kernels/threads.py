"""The threads that kernels of one training share: they let go of the interpreter, so two are two cores.

A range is cut into equal parts, one a thread; what is written never overlaps, so that the outcome is the same
for any number of threads. Threads look out for their next part in a compiled loop for a fraction of a
millisecond, and only then fall asleep: waking up takes longer than many a part.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from .cpu import compiled
from .spin import seen, tell, tell_and_see

F32 = npt.NDArray[np.float32]
Work = Callable[[int, int], object]
Part = tuple[Work, int, int]
_LEAST = 1 << 22  # multiply-adds that are worth a thread
_PARTS, _ROWS = 4, 64  # the most that a product is cut into, and the least rows of each
_PATIENCE = 20_000  # looks, of some 20 to 50 ns, before a thread falls asleep
_REST = 150  # looks in which who gives out work gets into its own part
_LINE = 8  # int64 of a cache line: each flag has its own
_told = threading.local()  # the crew of this thread


class _Hand:
    """A thread that does parts of shared work, one after another.

    Parts are told twice: under a lock, which is what counts, and by a flag, which is seen at once by a thread
    that is still looking out.

    Attributes:
        ended: whether it takes no more parts.
    """

    def __init__(self, patience: int) -> None:
        self._patience, self.ended = patience, False
        self._flags = np.zeros(2 * _LINE, np.int64)  # the number of the last part told, and of the last done
        self._lock = threading.Condition()
        self._told = self._taken = self._done = 0  # numbers of parts
        self._part: Part | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="kernels", daemon=True)
        self._thread.start()

    def give(self, part: Part | None) -> None:
        """Tell the next part, or None to end the thread."""
        with self._lock:
            self._part, self._told = part, self._told + 1
            self._lock.notify_all()
        if self._patience:
            tell(self._flags, 0, self._told)

    def wait(self) -> None:
        """Wait until the part is done, and raise what went wrong in it."""
        if self._patience:
            seen(self._flags, _LINE, self._told, self._patience)
        with self._lock:
            self._lock.wait_for(lambda: self._done == self._told)
            error, self._error = self._error, None
        if error:
            raise error

    def end(self) -> None:
        """End the thread."""
        self.ended = True
        self.give(None)
        self._thread.join()

    def _run(self) -> None:
        while part := self._next():
            work, begin, end = part
            error: BaseException | None = None
            try:
                work(begin, end)
            except BaseException as wrong:  # noqa: BLE001 - raised where the work was given out
                error = wrong
            with self._lock:
                self._done, self._error = self._taken, error
                self._lock.notify_all()

    def _next(self) -> Part | None:
        if self._patience:
            tell_and_see(self._flags, _LINE, 0, self._done + 1, self._patience, _REST)
        with self._lock:
            self._lock.wait_for(lambda: self._told > self._done)
            self._taken = self._told
            return self._part


@contextmanager
def workers(count: int) -> Iterator[None]:
    """Let `share` cut its work for `count` threads, this one among them, until the block ends."""
    before = getattr(_told, "crew", ())
    patience = _PATIENCE if compiled() and count <= _cores() else 0
    crew = tuple(_Hand(patience) for _ in range(count - 1))
    _told.crew = crew
    try:
        yield
    finally:
        _told.crew = before
        for hand in crew:
            hand.end()


def share(work: Work, size: int, *, least: int, grain: int = 1) -> None:
    """Call `work(begin, end)` over 0 to `size` in parts, on all threads there are.

    Args:
        work: does one part; it must write nothing that another part does.
        size: where the range ends.
        least: the smallest part worth a thread.
        grain: parts begin at multiples of this.
    """
    # A block may end in another thread, or before one that began in it: its threads are gone by then.
    crew: tuple[_Hand, ...] = tuple(hand for hand in getattr(_told, "crew", ()) if not hand.ended)
    parts = min(len(crew) + 1, size // max(1, least))
    if parts <= 1:
        work(0, size)
        return
    step = -(-size // (parts * grain)) * grain
    busy = []
    for hand, at in zip(crew, range(step, size, step), strict=False):
        hand.give((work, at, min(size, at + step)))
        busy.append(hand)
    _told.crew = ()  # a part that shares work itself does all of it: the others are busy
    errors: list[BaseException] = []
    try:
        work(0, step)
    finally:
        _told.crew = crew
        for hand in busy:
            try:
                hand.wait()
            except BaseException as error:  # noqa: BLE001 - raised once all have ended
                errors.append(error)
    if errors:
        raise errors[0]


def matmul(a: F32, b: F32, out: F32) -> None:
    """Write a @ b into `out`, float32 (n, m), on all threads there are: each takes rows of `a`, (n, k).

    The host's BLAS does each part on one thread: its own threads would wait for each other in busy loops, and
    take the cores from ours. Rows are cut in the same way for any number of threads, as the order of the
    BLAS's sums may depend on how many there are.
    """
    n, each = len(a), a.shape[1] * out.shape[1]
    parts = max(1, min(_PARTS, n // _ROWS, n * each // _LEAST))
    step = max(1, -(-n // parts))

    def part(begin: int, end: int) -> None:
        for at in range(step * begin, min(n, step * end), step):
            np.matmul(a[at : at + step], b, out=out[at : at + step])

    share(part, parts, least=1)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
