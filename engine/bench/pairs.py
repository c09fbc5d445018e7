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
from pathlib import Path
from statistics import median

from ..options import Family

Work = Callable[[], object]
_LEAST = 0.02  # seconds that one side of a pair should take


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        name: what was measured.
        ours, peer: median throughput, in `unit`.
        peer_name: what we are measured beside.
        unit: unit of the throughput; more is better.
        ratio: median over the pairs of ours / peer; above 1 ours is better.
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


Suite = Callable[[int], list[Row]]
SUITES: Family[Suite] = Family("bench.suite", "Benchmarks")


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
    repeats = [max(1, round(_LEAST / max(_time(work, 1), 1e-9))) for work in (_warm(ours), _warm(peer))]
    times = [(_time(ours, repeats[0]), _time(peer, repeats[1])) for _ in range(pairs)]
    return Row(
        name=name,
        ours=amount / median(a for a, _ in times),
        peer=amount / median(b for _, b in times),
        peer_name=peer_name,
        unit=unit,
        ratio=median(b / a for a, b in times),
        pairs=pairs,
        cores=cores,
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


def _warm(work: Work) -> Work:
    work()
    return work


def _time(work: Work, repeats: int) -> float:
    """Return the seconds of one call, over `repeats` calls."""
    began = time.perf_counter()
    for _ in range(repeats):
        work()
    return (time.perf_counter() - began) / repeats
