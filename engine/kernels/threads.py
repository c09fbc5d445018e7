"""The threads that kernels of one training share: they let go of the interpreter, so two are two cores.

A range is cut into equal parts, one a thread; what is written never overlaps, so that the outcome is the same
for any number of threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
_LEAST = 1 << 22  # multiply-adds that are worth a thread
_told = threading.local()  # the pool of this thread, and how many threads work with it


@contextmanager
def workers(count: int) -> Iterator[None]:
    """Let `share` cut its work for `count` threads, this one among them, until the block ends."""
    before = getattr(_told, "pool", None), getattr(_told, "count", 1)
    if count <= 1:
        _told.pool, _told.count = None, 1
        try:
            yield
        finally:
            _told.pool, _told.count = before
        return
    with ThreadPoolExecutor(count - 1, thread_name_prefix="kernels") as pool:
        _told.pool, _told.count = pool, count
        try:
            yield
        finally:
            _told.pool, _told.count = before


def share(work: Callable[[int, int], object], size: int, *, least: int, grain: int = 1) -> None:
    """Call `work(begin, end)` over 0 to `size` in parts, on all threads there are.

    Args:
        work: does one part; it must write nothing that another part does.
        size: where the range ends.
        least: the smallest part worth a thread.
        grain: parts begin at multiples of this.
    """
    pool: ThreadPoolExecutor | None = getattr(_told, "pool", None)
    parts = min(getattr(_told, "count", 1), size // max(1, least))
    if pool is None or parts <= 1:
        work(0, size)
        return
    step = -(-size // (parts * grain)) * grain
    others = [pool.submit(work, at, min(size, at + step)) for at in range(step, size, step)]
    _told.pool = None  # a part that shares work itself does all of it: the others are busy
    try:
        work(0, step)
    finally:
        _told.pool = pool
        wait(others)
    for other in others:
        other.result()


def matmul(a: F32, b: F32, out: F32) -> None:
    """Write a @ b into `out`, float32 (n, m), on all threads there are: each takes rows of `a`, (n, k).

    The host's BLAS does each part on one thread: its own threads would wait for each other in busy loops, and
    take the cores from ours. The least part depends on the work, so small products stay on one thread.
    """
    each = max(1, a.shape[1] * out.shape[1])
    share(lambda i, j: np.matmul(a[i:j], b, out=out[i:j]), len(a), least=max(16, _LEAST // each), grain=16)
