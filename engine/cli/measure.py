"""The verbs that measure: bench and hardware."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from ..bench.pairs import Row, Wanted
from ..bench.suites import QUICK, SUITES
from ..hardware import host, measure_again, profile
from .printing import note, plural, say, say_json, table


def bench(options: argparse.Namespace) -> int:
    """Print every comparison of the chosen suite, or of all that do not take long."""
    chosen = [options.suite] if options.suite else QUICK
    wanted = Wanted(options.pairs, options.peers, (options.cores,) if options.cores else (), note)
    rows: list[Row] = []
    for key in chosen:
        if not options.json:
            note(f"{SUITES[key]} ...")
        rows += SUITES.make(key)(wanted)
    if options.json:
        say_json([asdict(row) for row in rows])
        return 0
    if not rows:
        say("Nothing could be measured.")
        return 0
    cells = [("what", "ours", "peer", "unit", "ratio", "cores", "pairs", "beside")]
    cells += [
        (
            r.name,
            _figure(r.ours),
            _figure(r.peer),
            r.unit,
            f"{r.ratio:.2f}",
            str(r.cores),
            str(r.pairs),
            r.peer_name,
        )
        for r in rows
    ]
    table(cells)
    say(f"Medians of interleaved pairs; a ratio above 1: ours is better. {rows[0].host}.")
    return 0


def hardware(options: argparse.Namespace) -> int:
    """Print what this host can do, and which kernel serves each family of products here."""
    there, choices = host(), measure_again() if options.again else profile()
    if options.json:
        chosen = [{**asdict(choice), "why": choice.why} for choice in choices]
        say_json({"host": asdict(there), "choices": chosen})
        return 0
    say(f"{there.name} ({there.cpu}), {plural(there.cores, 'core')}")
    say(f"Vectors: {', '.join(there.features) or 'none that kernels ask for'}")
    if there.caches:
        say(f"Data caches: {', '.join(f'{size // 1024:,} KiB' for size in there.caches)}")
    for choice in choices:
        say(f"{choice.title}, from {plural(choice.rows, 'row')}: {choice.why}.")
        for key, speed in sorted(choice.speeds.items(), key=lambda pair: -pair[1]):
            say(f"    {key:<8} {speed / 1e9:>8,.0f} Gop/s")
    return 0


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:,.2f}"
