"""The one place that calls numba, and the stamp that keeps its cache honest.

numba's cache looks at the file of the function it loads, not at the files of the functions that one calls,
so an edited helper leaves stale machine code behind. The cache folder is therefore named after the bytes of
every file in this room.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic, overload

_ROOM = Path(__file__).parent
_STAMP = hashlib.sha256(b"".join(p.read_bytes() for p in sorted(_ROOM.glob("*.py")))).hexdigest()[:12]


def _cache_folder() -> Path:
    """Return the folder of this room's machine code: under the home, or a new one where that is locked."""
    home = Path(os.environ.get("POLYBIT_CACHE") or Path.home() / ".cache" / "polybit")
    folder = home / f"kernels-{_STAMP}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    # A folder that others could write to must not be trusted with machine code.
    return Path(tempfile.mkdtemp(prefix="polybit-kernels-"))


numba.config.CACHE_DIR = str(_cache_folder())  # type: ignore[attr-defined]

F = TypeVar("F", bound=Callable[..., object])
KERNELS: list[str] = []  # every kernel's name, in the order it was made


def kernel(func: F) -> F:
    """Compile `func` on first call, keep it on disk, and let other threads run meanwhile.

    No fastmath: an exported model must give the same bits on every machine.
    """
    KERNELS.append(f"{func.__module__}.{func.__name__}")
    return cast("F", numba.njit(cache=True, nogil=True, fastmath=False)(func))


def plain(func: F) -> F:
    """Return the Python function that a kernel was made of: slow, but it runs without being compiled."""
    return cast("F", getattr(func, "py_func", func))


@intrinsic
def _ctpop(typingctx: Any, word: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), codegen


@intrinsic
def _cttz(typingctx: Any, word: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], context.get_constant(types.boolean, False))

    return types.uint64(types.uint64), codegen


def popcount(word: np.uint64) -> int:
    """Return the number of 1 bits of a uint64 (with the JIT off too)."""
    return int(word).bit_count()


def lowest_bit(word: np.uint64) -> int:
    """Return the place of the lowest 1 bit of a uint64 that is not 0."""
    return (int(word) & -int(word)).bit_length() - 1


@overload(popcount)
def _popcount_native(word):  # type: ignore[no-untyped-def]
    return lambda word: types.int64(_ctpop(word))  # type: ignore[call-arg]


@overload(lowest_bit)
def _lowest_bit_native(word):  # type: ignore[no-untyped-def]
    return lambda word: types.int64(_cttz(word))  # type: ignore[call-arg]
