"""What this host can do, and which kernel of each family serves it best, measured here and once.

Families of products have several kernels that give the same whole numbers. Each that the processor can run
multiplies a small example, is dropped where its answer is wrong, and is timed. Kernels take turns, so that
others on the machine are in the way of all alike, and one serves in the place of the usual one only where it
is clearly faster: the median over the turns counts. That takes a fraction of a second when the first product
of a family is wanted, and is kept beside the machine code, under the stamp of the kernels, for the next
start. Nothing is measured on import.
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
from functools import cache
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from .kernels import bfloats, cpu, families, signs
from .kernels.bits import dot_signs as dot_words
from .kernels.families import F64, FAMILIES, Family, whole_family
from .kernels.jit import cache_folder, stamp
from .kernels.quad_lanes import VNNI
from .kernels.signs import SignWeights
from .kernels.threads import matmul, share
from .kernels.vectors import AVX2
from .kernels.whole import QUADS, Levels, Ranks, WholeWeights
from .ports import F32, I32, U64

__all__ = ["FEATURES", "Choice", "Host", "bytes_are_right", "choose", "dot_signs", "gradient_product", "host"]
__all__ += ["kernel_title", "profile", "sign_weights", "whole_family", "whole_weights"]

FEATURES = {  # those that kernels ask for, with the names that people know
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512vpopcntdq": "VPOPCNTDQ",
    "avx512vnni": "AVX-512 VNNI",
    "avxvnni": "AVX-VNNI",
    "avx512bf16": "BF16",
}
_LEAST = 0.0005  # seconds that one timing should take
_TURNS = 11
_CLEARLY = 1.1  # times as fast as the usual kernel
_MANY = 24  # rows


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
        speeds: operations a second (a product and a sum are two) of every kernel that gave the right answer,
            the plain one first.
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
        plain = next(iter(self.speeds))
        if self.speeds[self.kernel] == max(self.speeds.values()):
            if self.kernel == plain:
                return f"{self.kernel_title}, the fastest here"
        elif self.kernel == plain:
            return f"{self.kernel_title}, as no other is clearly faster here"
        gain = self.speeds[self.kernel] / self.speeds[plain]
        return f"{self.kernel_title}, {gain:.1f} times as fast as the plain kernel here"


@cache
def host() -> Host:
    """Return what the processor is and can do."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    known = tuple(words for key, words in FEATURES.items() if key in cpu.features())
    return Host(_processor(), cpu.name(), known, there, _caches())


def profile() -> tuple[Choice, ...]:
    """Return the choices of every family, measured now where nobody has yet."""
    return tuple(choice for family in FAMILIES for choice in _choices(family))


def measure_again() -> tuple[Choice, ...]:
    """Forget what was measured before, as on a host that was busy then, and return the choices of now."""
    for key in FAMILIES:
        with suppress(OSError):
            _kept(key).unlink(missing_ok=True)
    for known in (_profile, _sign_plan, _ranks, bytes_are_right):
        known.cache_clear()
    return profile()


def choose(family: str, rows: int = 1) -> Choice:
    """Return the kernel that serves a family for so many rows.

    Args:
        family: `signs`, `floats`, or what `whole_family` gives.
        rows: how many rows are multiplied at once.
    """
    fitting = [choice for choice in _choices(family) if choice.rows <= max(1, rows)]
    return max(fitting, key=lambda choice: choice.rows)


def kernel_title(kernel: str) -> str:
    """Return a kernel's words; a key that no family knows stands for itself."""
    return next((family.titles[kernel] for family in FAMILIES.values() if kernel in family.titles), kernel)


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
    return WholeWeights(planes, levels, inputs, _sign_plan(), _ranks(whole_family(len(planes))))


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
        weights = sign_weights(words, inputs)
        weights.lay(len(a))
        share(lambda i, j: weights.dot(a[i:j], out[i:j], len(a)), len(a), least=_MANY, grain=16)


@cache
def bytes_are_right() -> bool:
    """Return whether products of bytes were right here, or are made of steps that every host has."""
    return not (VNNI or AVX2) or all(QUADS in choice.speeds for choice in _choices(whole_family(1)))


def gradient_product(a: F32, b: F32, out: F32, *, bfloat16: bool) -> None:
    """Write a . b, float32 (n, k) and (k, m), into `out`, float32 (n, m).

    Args:
        a: of any strides, as are the other two.
        b: likewise.
        out: written.
        bfloat16: whether both may be rounded to bfloat16, where that is faster here; sums stay float32.
    """
    if bfloat16 and _narrow(len(a), b.shape[1]):
        bfloats.matmul(a, b, out)
    else:
        matmul(a, b, out)


def gradient_products(a: F32, b: F32, *, bfloat16: bool) -> F32:
    """Return a . b, float32 (..., n, m), for stacks of matrices, float32 (..., n, k) and (..., k, m).

    Args:
        a: of any strides, as is the other.
        b: a stack of the same shape.
        bfloat16: as of `gradient_product`.
    """
    if not (bfloat16 and _narrow(a.shape[-2], b.shape[-1])):
        found: F32 = np.matmul(a, b)
        return found
    out = np.empty((*a.shape[:-1], b.shape[-1]), np.float32)
    for at in np.ndindex(*a.shape[:-2]):
        bfloats.matmul(a[at], b[at], out[at])
    return out


def _narrow(rows: int, columns: int) -> bool:
    """Return whether products of bfloat16 are the sooner; small ones cost more to lay out than they save."""
    return min(rows, columns) >= _MANY and choose("floats").kernel == families.BFLOAT16


@cache
def _sign_plan() -> signs.Plan:
    return tuple((choice.rows, choice.kernel) for choice in _choices("signs"))


@cache
def _ranks(family: str) -> Ranks | None:
    """Return the kernels of a family from so many rows on, the fastest first, or None."""
    found = _choices(family)
    if not all(choice.speeds for choice in found):
        return None
    return tuple((c.rows, _ranked(c)) for c in found)


def _ranked(choice: Choice) -> tuple[str, ...]:
    """Return the kernels of a choice: the one that serves, then the others, the fastest first."""
    speeds = choice.speeds
    return tuple(sorted(speeds, key=lambda key: (key != choice.kernel, -speeds[key])))


_lock = RLock()  # products of whole numbers are made of products of signs, and so ask for those


def _choices(family: str) -> tuple[Choice, ...]:
    with _lock:
        return _profile(family)


@cache
def _profile(key: str) -> tuple[Choice, ...]:
    family = FAMILIES[key]
    if not cpu.compiled():
        kernels = {rows: family.usual(rows) for rows in family.rows}
        return tuple(
            Choice(key, family.title, n, used, family.titles[used], {}) for n, used in kernels.items()
        )
    path = _kept(key)
    mark = [host().name, host().cpu, sorted(cpu.features())]
    found = _read(path, mark, family)
    if found is None:
        with threadpool_limits(1):  # as in training, where each of our threads calls the BLAS
            found = tuple(_measure(family))
        _write(path, mark, found)
    return found


def _kept(key: str) -> Path:
    """Return the file that keeps what was measured of a family."""
    return cache_folder(stamp(Path(families.__file__))) / f"hardware-{key}.json"


def _read(path: Path, mark: list[Any], family: Family) -> tuple[Choice, ...] | None:
    """Return what was measured before, or None where that is damaged or another host's."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["host"] != mark:
            return None
        found = tuple(Choice(**choice) for choice in told["choices"])
        whole = [(c.family, c.rows) for c in found] == [(family.key, rows) for rows in family.rows]
        known = all({c.kernel, *c.speeds} <= set(family.titles) and c.kernel in c.speeds for c in found)
        return found if whole and known else None
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


def _measure(family: Family) -> Iterator[Choice]:
    plan = () if family.key == "signs" else _sign_plan()
    for begin, rows in family.rows.items():
        tried = {key: family.trial(key, rows, plan) for key in family.titles}
        trials = {key: trial for key, trial in tried.items() if trial is not None and trial.right()}
        times = dict(zip(trials, _taking_turns([trial.work for trial in trials.values()]), strict=True))
        best = _clearly_fastest(times, family.usual(rows))
        speeds = {key: trial.operations / float(np.median(times[key])) for key, trial in trials.items()}
        yield Choice(family.key, family.title, begin, best, family.titles[best], speeds)


def _taking_turns(works: list[Callable[[], object]]) -> F64:
    """Return the seconds of one call of each, float64 (works, turns)."""
    repeats = [max(1, round(_LEAST / max(_seconds(work, 1), 1e-7))) for work in works]
    turns = [[_seconds(*each) for each in zip(works, repeats, strict=True)] for _ in range(_TURNS)]
    return np.array(turns).T


def _clearly_fastest(times: dict[str, F64], usual: str) -> str:
    """Return the kernel that serves: the usual one, unless another beats it clearly in most turns.

    Args:
        times: seconds of each turn, by kernel; where the usual one is missing the first stands for it.
        usual: key of a kernel.
    """
    held = usual if usual in times else next(iter(times))
    best = min(times, key=lambda key: float(times[key].min()))  # whoever is in the way only adds time
    return best if np.median(times[held] / times[best]) > _CLEARLY else held


def _seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the mean seconds of some calls."""
    began = time.perf_counter()
    for _ in range(repeats):
        work()
    return (time.perf_counter() - began) / repeats


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
