"""The verb that measures: bench."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from ..bench.suites import SUITES
from .printing import note, say, say_json, table


def bench(options: argparse.Namespace) -> int:
    """Print every comparison of the chosen suites, or of all."""
    chosen = [options.suite] if options.suite else list(SUITES)
    rows = []
    for key in chosen:
        if not options.json:
            note(f"{SUITES[key]} ...")
        rows += SUITES.make(key)(options.pairs)
    if options.json:
        say_json([asdict(row) for row in rows])
        return 0
    cells = [("what", "ours", "peer", "unit", "ratio", "beside")]
    cells += [
        (r.name, f"{r.ours:,.1f}", f"{r.peer:,.1f}", r.unit, f"{r.ratio:.2f}", r.peer_name) for r in rows
    ]
    table(cells)
    say(f"Medians of {rows[0].pairs} interleaved pairs, {rows[0].cores} core. {rows[0].host}.")
    return 0
