"""Repair by rules beside solvers that take record by record: records a second, and whether costs agree."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from .pairs import SUITES, Comparison, Row, Wanted, compare_timed, host
from .workers import Side, SideError

RECORDS = 4_000  # of our stream
SAMPLE = 200  # of its first records, for what solves them one by one
ACCURACY = 0.97  # of the classifier, label by label
_CLOCK = "wall"  # the processor's would leave out what our solver process does as a last resort
_LEAST = 0.02  # seconds of SAMPLE records of one side of a pair
# Kind, variables, rules (see sides/rule_streams.py), seed.
PACKS = (("mixL", 30, 60, 1), ("rand3", 30, 60, 1), ("mixG", 100, 300, 1), ("rand3", 100, 300, 1))
_PEERS: tuple[tuple[str, str, dict[str, str], bool], ...] = (
    ("python-sat RC2", "pysat_rules", {"solver": "RC2"}, False),
    ("python-sat RC2Stratified", "pysat_rules", {"solver": "RC2Stratified"}, False),
    ("OR-tools CP-SAT", "ortools_rules", {}, True),
)


@SUITES.option("rules", "Rules", formula="records/s of exact repair over a stream, beside MaxSAT and CP-SAT")
def rules(wanted: Wanted) -> list[Row]:
    """Return the comparisons of every pack with every peer, and on how many records their costs agree."""
    rows: list[Row] = []
    for kind, variables, count, seed in PACKS:
        title = f"Repair, {kind}, {variables} variables, {count} rules"
        with tempfile.TemporaryDirectory() as folder:
            job = {"kind": kind, "variables": variables, "rules": count, "seed": seed, "accuracy": ACCURACY}
            job |= {"folder": folder, "records": RECORDS, "sample": SAMPLE}
            rows += _rows(title, job, wanted)
    return rows


def _rows(title: str, job: dict[str, Any], wanted: Wanted) -> list[Row]:
    rows = []
    with Side("ours_rules", {**job, "name": "ours"}, cores=1, clock=_CLOCK) as ours:
        for peer_name, module, more, optional in _PEERS:
            if optional and not wanted.peers:
                continue
            try:
                with Side(module, {**job, **more, "name": peer_name}, cores=1, clock=_CLOCK) as peer:
                    what = Comparison(title, peer_name, SAMPLE, "records/s", wanted.pairs, 1, _LEAST)
                    rows.append(compare_timed(what, _share(ours), peer.time))
            except SideError as error:
                wanted.note(f"{title}: {peer_name} is left out: {error}")
                continue
            rows.append(_agreement(title, peer_name, Path(job["folder"])))
            wanted.note(f"{title}: {rows[-2].ratio:,.0f} times {peer_name}.")
    return rows


def _share(ours: Side) -> Any:
    """Return our time for as many records as the peers take, out of a whole stream."""
    return lambda repeats: ours.time(repeats) * SAMPLE / RECORDS


def _agreement(title: str, peer_name: str, folder: Path) -> Row:
    """Return on how many records of the sample both sides found the same least cost."""
    theirs = np.load(folder / f"{peer_name}.npy")
    agreed = int((np.load(folder / "ours.npy")[: len(theirs)] == theirs).sum())
    name = f"Same cost, {title[0].lower()}{title[1:]}"
    return Row(name, agreed, len(theirs), peer_name, "records", agreed / len(theirs), 1, 1, host())
