"""Interleaved pairs: ours, the peer, ours, the peer ... on one machine that others use too.

A single time says little on a shared machine. Each pair is measured back to back, the ratio is taken pair by
pair, and the median over the pairs is what counts.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from statistics import median

from ..options import Family

Work = Callable[[], object]
Timed = Callable[[int], float]  # how many repeats -> the seconds that they took together
LONG = "long"  # group of the suites that take hours: they run only when they are named
_LEAST = 0.02  # seconds that one side of a pair should take
_FEWEST = 3  # pairs of a comparison that takes too long for more


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        name: what was measured.
        ours, peer: median figure of each, in `unit`.
        peer_name: what we are measured beside.
        unit: unit of the figure; more is better, but for `s` and `MB`, of which less is.
        ratio: median over the pairs; above 1 ours is better.
        pairs: how many pairs were measured.
        cores: how many cores each side could use.
        host: the processor.
    """

    name: str
    ours: float
    peer: float
    peer_name: str
    unit: str
    ratio: float
    pairs: int
    cores: int
    host: str


@dataclass(frozen=True)
class Wanted:
    """What the verb was asked for.

    Attributes:
        pairs: how many interleaved pairs a comparison.
        peers: whether other programs are measured too, where they are installed.
        cores: how many cores each side may use; () leaves it to the suite.
        note: takes a sentence for the user: progress, or why a row is left out.
    """

    pairs: int = 9
    peers: bool = False
    cores: tuple[int, ...] = ()
    note: Callable[[str], None] = print


Suite = Callable[[Wanted], list[Row]]
SUITES: Family[Suite] = Family("bench.suite", "Benchmarks")


@dataclass(frozen=True)
class Comparison:
    """What is compared, and how; the fields are those of `Row` and `compare`.

    Attributes:
        name: what is measured.
        peer_name: what it is measured beside.
        amount: work of one call, in seconds of `unit`.
        unit: what `amount` per second is called.
        pairs: how many interleaved pairs.
        cores: how many cores each side may use.
        least: seconds that one side of a pair should take at least.
        most: seconds for all pairs: where they take longer there are fewer, but three.
        share: how much of one call of ours is `amount`, which is one call of the peer's.
    """

    name: str
    peer_name: str
    amount: float
    unit: str
    pairs: int
    cores: int = 1
    least: float = _LEAST
    most: float = inf
    share: float = 1.0


def compare(
    name: str, ours: Work, peer: Work, peer_name: str, *, amount: float, unit: str, pairs: int, cores: int = 1
) -> Row:
    """Return the comparison of two functions that each do `amount` of `unit`-seconds of work a call.

    Args:
        name: what is measured.
        ours: our function; it is called once before anything is measured.
        peer: the peer's.
        peer_name: what it is.
        amount: work of one call, such as 2 * 1024**3 / 1e9 billion operations.
        unit: what `amount` per second is called.
        pairs: how many pairs to measure.
        cores: how many cores each side may use.
    """
    for work in (ours, peer):
        work()
    what = Comparison(name, peer_name, amount, unit, pairs, cores)
    return compare_timed(what, partial(seconds, ours), partial(seconds, peer))


def compare_timed(what: Comparison, ours: Timed, peer: Timed) -> Row:
    """Return the comparison of two warm sides that time themselves: calls -> seconds they took together."""
    once = [max(side(1), 1e-9) for side in (ours, peer)]
    repeats = [max(1, round(what.least / one)) for one in once]
    pair = sum(n * one for n, one in zip(repeats, once, strict=True))
    pairs = min(what.pairs, max(_FEWEST, int(min(what.most / pair, what.pairs))))
    times = [
        (ours(repeats[0]) / repeats[0] * what.share, peer(repeats[1]) / repeats[1]) for _ in range(pairs)
    ]
    return Row(
        name=what.name,
        ours=what.amount / median(a for a, _ in times),
        peer=what.amount / median(b for _, b in times),
        peer_name=what.peer_name,
        unit=what.unit,
        ratio=median(b / a for a, b in times),
        pairs=pairs,
        cores=what.cores,
        host=host(),
    )


def host() -> str:
    """Return the name of the processor and how many cores this process may use."""
    name = platform.processor() or platform.machine()
    told = Path("/proc/cpuinfo")
    if told.is_file():
        named = [
            line for line in told.read_text(encoding="utf-8").split("\n") if line.startswith("model name")
        ]
        name = named[0].split(":", 1)[1].strip() if named else name
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"{name}, {there} cores"


def seconds(work: Work, repeats: int = 1) -> float:
    """Return the seconds of `repeats` calls."""
    began = time.perf_counter()
    for _ in range(repeats):
        work()
    return time.perf_counter() - began
