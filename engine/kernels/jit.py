"""The one place that calls numba, and the stamp that keeps its cache honest.

numba's cache looks at the file of the function it loads, not at the files of the functions that one calls,
so an edited helper leaves stale machine code behind. The cache folder of a kernel is therefore named after
the bytes of its own file and of every file of this room that it imports, and those import in turn: an edit
recompiles what it touches and nothing else.
"""

from __future__ import annotations

import ast
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic, overload

_ROOM = Path(__file__).parent

F = TypeVar("F", bound=Callable[..., object])
KERNELS: list[str] = []  # every kernel's name, in the order it was made


def spare_scipy() -> None:
    """Keep SciPy's linear algebra out of this process, which must be one of our own and run no other's code.

    Where it is installed numba imports it with the first kernel, for products of matrices inside kernels: 14
    MB that none of ours needs.
    """
    sys.modules.setdefault("scipy.linalg", cast("Any", None))


def kernel(func: F) -> F:
    """Compile `func` on first call, keep it on disk, and let other threads run meanwhile.

    No fastmath: an exported model must give the same bits on every machine. Division follows IEEE 754, as
    NumPy's does: a check for 0 in every division would keep loops from being vectorised.
    """
    return _made(func)


def lean(func: F) -> F:
    """Do as `kernel`, for short functions that hand many arrays to each other and make none.

    Their code goes into whatever calls them, as an array is seven numbers to hand over; and nobody counts who
    holds an array, which takes longer than the rest where every line names several. One that makes an array,
    as an assignment of a slice of another does, cannot be compiled.
    """
    return _made(func, forceinline=True, _nrt=False)


def _made(func: F, **more: bool) -> F:
    KERNELS.append(f"{func.__module__}.{func.__name__}")
    # numba asks for the folder once, while it decorates.
    numba.config.CACHE_DIR = str(cache_folder(stamp(Path(func.__code__.co_filename))))  # type: ignore[attr-defined]
    options: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", **more}
    return cast("F", numba.njit(**options)(func))


def entry(func: Callable[..., Any], *examples: Any) -> Callable[..., Any]:
    """Return what calls a kernel's machine code for arguments of the examples' types, and looks at none.

    A call takes half the time; what it does with arrays of another dtype or layout is undefined.
    """
    made = getattr(func, "compile", None)  # without the JIT there is none
    return func if made is None else cast("Callable[..., Any]", made(tuple(map(numba.typeof, examples))))


def plain(func: F) -> F:
    """Return the Python function that a kernel was made of: slow, but it runs without being compiled."""
    return cast("F", getattr(func, "py_func", func))


@cache
def cache_folder(of: str) -> Path:
    """Return the folder of one stamp's machine code: under the home, or a new one where that is locked."""
    home = Path(os.environ.get("POLYBIT_CACHE") or Path.home() / ".cache" / "polybit")
    folder = home / f"kernels-{of}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    return _private_folder()


@cache
def _private_folder() -> Path:
    # A folder that others could write to must not be trusted with machine code.
    return Path(tempfile.mkdtemp(prefix="polybit-kernels-"))


@cache
def stamp(path: Path) -> str:
    """Return what names the machine code of a file: its bytes and those of this room that it stands on."""
    files: set[Path] = set()
    _gather(path.resolve(), files)
    _gather(Path(__file__).resolve(), files)
    # The order must not hang on where the room lies, nor on which file is asked.
    ordered = sorted(files, key=lambda p: (p.name, p.read_bytes()))
    return hashlib.sha256(b"".join(p.read_bytes() for p in ordered)).hexdigest()[:12]


def _gather(path: Path, files: set[Path]) -> None:
    if path not in files:
        files.add(path)
        for name in _imported(path):
            if (_ROOM / f"{name}.py").is_file():
                _gather((_ROOM / f"{name}.py").resolve(), files)


@cache
def _imported(path: Path) -> frozenset[str]:
    """Return the files of this room, without suffix, that a file imports from relatively."""
    inside = path.parent == _ROOM.resolve()
    names: set[str] = set()
    for line in ast.walk(ast.parse(path.read_bytes())):
        if not isinstance(line, ast.ImportFrom) or not line.level:
            continue
        parts = (line.module or "").split(".")
        if parts[0] == _ROOM.name:  # from ..kernels.bits import x, from ..kernels import bits
            parts = parts[1:] or [""]
        elif not inside or line.level > 1:
            continue
        names.update([parts[0]] if parts[0] else [alias.name for alias in line.names])
    return frozenset(names)


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
