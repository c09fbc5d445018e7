"""The measured end of a pipe: what every side does with the lines it is sent.

A job arrives as JSON in the first argument. Then one line in, one line out, in JSON:

    5     run the work five times   -> {"wall": 0.31, "processor": 0.28}, seconds
    peak  say the peak of memory    -> {"peak_mb": 214.3}

Only one side of a pair works at a time; the other waits in a read and costs nothing.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Work = Callable[[], object]


def serve(make: Callable[[dict[str, Any]], Work]) -> None:
    """Make the work of the job in `sys.argv`, warm it up, and run it as often as each line says."""
    # Libraries print what they like on standard output: the channel is a copy, and theirs becomes our stderr.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def answer(**words: Any) -> None:
        channel.write(json.dumps(words) + "\n")
        channel.flush()

    job = json.loads(sys.argv[1])
    _pin(int(job["cores"]))
    work = make(job)
    work()
    answer(ready=True)
    for line in sys.stdin:
        if line.strip() == "peak":
            answer(peak_mb=peak_mb())
            continue
        wall, processor = time.perf_counter(), time.process_time()
        for _ in range(int(line)):
            work()
        answer(wall=time.perf_counter() - wall, processor=time.process_time() - processor)


def _pin(cores: int) -> None:
    """Keep this process on `cores` cores, so that no hidden pool of threads takes more."""
    if hasattr(os, "sched_setaffinity"):
        there = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, there[-cores:])


def peak_mb() -> float:
    """Return the peak of this process's resident memory so far, in MB of 1,000,000 bytes."""
    told = Path("/proc/self/status")
    if told.is_file():  # getrusage counts what the parent held when this process was forked
        for line in told.read_text(encoding="ascii", errors="replace").split("\n"):
            if line.startswith("VmHWM:"):
                return float(line.split()[1]) * 1024 / 1e6
    import resource  # not on Windows

    return (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    )
