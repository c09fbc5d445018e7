"""What this host can do, and which kernel of each family serves it best, measured here and once.

Families of products have several kernels that give the same whole numbers. Each that the processor can run
multiplies a small example, is dropped where its answer differs from the plain kernel's, and is timed; the
fastest serves. That takes a fraction of a second when the first product is wanted, and is kept beside the
machine code, under the stamp of the kernels, for the next start. Nothing is measured on import.
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from .kernels import cpu, signs
from .kernels.bits import dot_signs as dot_words
from .kernels.jit import cache_folder, stamp
from .kernels.signs import PLAIN, SIGN_KERNELS, SignWeights
from .kernels.whole import Levels, WholeWeights
from .ports import I32, U64, words_for

FEATURES = {  # those that kernels ask for, with the names that people know
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512vpopcntdq": "VPOPCNTDQ",
    "avx512vnni": "AVX-512 VNNI",
    "avxvnni": "AVX-VNNI",
    "avx512bf16": "BF16",
}
_FILE = "hardware.json"
_OUTPUTS, _INPUTS = 256, 1024  # of the example
_LEAST = 0.002  # seconds that one timing should take
_TRIALS = 5
_MANY = 24  # rows
# From how many rows on a choice holds, and with how many it is measured.
_ROWS = {1: 1, 4: 16, 64: 256}


@dataclass(frozen=True)
class Host:
    """The processor that kernels run on.

    Attributes:
        name: as the system calls it.
        cpu: as LLVM calls it, or as NUMBA_CPU_NAME asked.
        features: what kernels may use of it, by the names that people know.
        cores: how many this process may use.
        caches: bytes of each level of cache, nearest first; empty where the system does not tell.
    """

    name: str
    cpu: str
    features: tuple[str, ...]
    cores: int
    caches: tuple[int, ...]


@dataclass(frozen=True)
class Choice:
    """The kernel that serves a family of products.

    Attributes:
        family: key of the family.
        title: the family in words.
        rows: from how many rows on.
        kernel: key of the kernel.
        kernel_title: the kernel in words.
        speeds: operations a second (a product and a sum are two) of every kernel that gave the right answer.
    """

    family: str
    title: str
    rows: int
    kernel: str
    kernel_title: str
    speeds: dict[str, float]

    @property
    def why(self) -> str:
        """Return the reason in words."""
        if len(self.speeds) <= 1:
            return f"{self.kernel_title}, which runs everywhere"
        if self.kernel == PLAIN:
            return f"{self.kernel_title}, the fastest here"
        gain = self.speeds[self.kernel] / self.speeds[PLAIN]
        return f"{self.kernel_title}, {gain:.1f} times as fast as the plain kernel here"


@cache
def host() -> Host:
    """Return what the processor is and can do."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    known = tuple(words for key, words in FEATURES.items() if key in cpu.features())
    return Host(_processor(), cpu.name(), known, there, _caches())


def profile() -> tuple[Choice, ...]:
    """Return the choice of every family, measured now where nobody has yet."""
    with _lock:
        return _profile()


def choose(family: str, rows: int = 1) -> Choice:
    """Return the kernel that serves a family for so many rows.

    Args:
        family: `signs`.
        rows: how many rows are multiplied at once.
    """
    fitting = [choice for choice in profile() if choice.family == family and choice.rows <= max(1, rows)]
    return max(fitting, key=lambda choice: choice.rows)


def sign_weights(words: U64, inputs: int) -> SignWeights:
    """Return packed weights, uint64 (m, words), ready for the kernels that are fastest here.

    Args:
        words: packed signs; they are not copied and must not change.
        inputs: columns of a row.
    """
    return SignWeights(words, inputs, _sign_plan())


def whole_weights(planes: U64, levels: Levels, inputs: int) -> WholeWeights:
    """Return weights of few bits, uint64 (planes, m, words), ready for the kernels that are fastest here.

    Args:
        planes: bit planes; they are not copied and must not change.
        levels: what the planes count.
        inputs: columns of a row.
    """
    return WholeWeights(planes, levels, inputs, _sign_plan())


def dot_signs(a: U64, words: U64, inputs: int, out: I32) -> None:
    """Write the products of packed rows and packed weights that change at every step into `out`.

    Args:
        a: uint64 (n, words).
        words: uint64 (m, words).
        inputs: columns of a row.
        out: int32 (n, m).
    """
    if len(a) < _MANY or not out.flags.c_contiguous:  # laying weights out costs as much as that many rows
        dot_words(a, words, inputs, out)
    else:
        sign_weights(words, inputs).dot(a, out)


@cache
def _sign_plan() -> signs.Plan:
    return tuple((choice.rows, choice.kernel) for choice in profile() if choice.family == "signs")


_lock = Lock()


@cache
def _profile() -> tuple[Choice, ...]:
    if not cpu.compiled():
        return tuple(Choice("signs", _SIGNS, rows, PLAIN, SIGN_KERNELS[PLAIN].title, {}) for rows in _ROWS)
    path = cache_folder(stamp(Path(signs.__file__))) / _FILE
    mark = [host().name, host().cpu, sorted(cpu.features())]
    found = _read(path, mark)
    if found is None:
        found = tuple(_measure())
        _write(path, mark, found)
    return found


def _read(path: Path, mark: list[Any]) -> tuple[Choice, ...] | None:
    """Return what was measured before, or None where that is damaged or another host's."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["host"] != mark:
            return None
        found = tuple(Choice(**choice) for choice in told["choices"])
        whole = {(c.family, c.rows) for c in found} == {("signs", rows) for rows in _ROWS}
        return found if whole and all(c.kernel in SIGN_KERNELS for c in found) else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _write(path: Path, mark: list[Any], choices: tuple[Choice, ...]) -> None:
    told = json.dumps({"host": mark, "choices": [asdict(choice) for choice in choices]}, indent=1)
    with suppress(OSError):  # where nothing can be kept, the next start measures again
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=path.name, delete=False
        ) as part:
            part.write(told)
        Path(part.name).replace(path)


_SIGNS = "Products of 1-bit rows"


def _measure() -> Iterator[Choice]:
    rng = np.random.default_rng(0)
    weights, given = (
        rng.integers(0, 2**64, (n, words_for(_INPUTS)), np.uint64) for n in (_OUTPUTS, max(_ROWS.values()))
    )
    for begin, rows in _ROWS.items():
        right = np.empty((rows, _OUTPUTS), np.int32)
        speeds: dict[str, float] = {}
        for key, kernel in SIGN_KERNELS.items():
            if kernel.feature and kernel.feature not in cpu.features():
                continue
            out = right if key == PLAIN else np.zeros_like(right)
            layout = kernel.lay(weights, _INPUTS)
            work = partial(kernel.dot, given[:rows], _INPUTS, layout, out)
            work()
            if (out == right).all():
                speeds[key] = 2.0 * rows * _OUTPUTS * _INPUTS / _seconds(work)
        best = max(speeds, key=lambda key: speeds[key])
        yield Choice("signs", _SIGNS, begin, best, SIGN_KERNELS[best].title, speeds)


def _seconds(work: Callable[[], object]) -> float:
    """Return the least of some timings of one call."""
    began = time.perf_counter()
    work()
    repeats = max(1, round(_LEAST / max(time.perf_counter() - began, 1e-7)))
    least = np.inf
    for _ in range(_TRIALS):
        began = time.perf_counter()
        for _ in range(repeats):
            work()
        least = min(least, (time.perf_counter() - began) / repeats)
    return float(least)


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    with suppress(OSError):
        for line in told.read_text(encoding="utf-8", errors="replace").split("\n"):
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _caches() -> tuple[int, ...]:
    """Return the bytes of the data caches, where Linux tells them."""
    found: dict[int, int] = {}
    units = {"K": 1024, "M": 1024**2}
    for entry in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        with suppress(OSError, ValueError, KeyError):
            if (entry / "type").read_text().strip() == "Instruction":
                continue
            size = (entry / "size").read_text().strip()
            found[int((entry / "level").read_text())] = int(size[:-1]) * units[size[-1]]
    return tuple(found[level] for level in sorted(found))
