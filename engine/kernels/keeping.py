"""Machine code that cannot be kept is compiled again the next time: a full disk stops no work.

Where numba cannot write or read its cache it gives up the call that it was compiled for. Only our own kernels
are treated otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from numba.core.caching import Cache

_theirs = Cache._guard_against_spurious_io_errors  # noqa: SLF001 - numba offers nothing else


@contextmanager
def _careful(cache: Any) -> Iterator[None]:
    ours = str(cache._py_func.__module__).startswith(f"{__package__}.")  # noqa: SLF001
    with suppress(OSError) if ours else nullcontext(), _theirs(cache):
        yield


def stop_for_nothing() -> None:
    """Let no kernel fail because its machine code cannot be kept."""
    setattr(Cache, "_guard_against_spurious_io_errors", _careful)  # noqa: B010 - a method, to mypy


def is_kept(kernel: Any) -> bool:
    """Return whether machine code of a kernel is on disk; also where kernels are not compiled at all."""
    cache = getattr(kernel, "_cache", None)
    return cache is None or Path(cache._cache_file._index_path).exists()  # noqa: SLF001
