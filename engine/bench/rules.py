"""Repair by rules beside solvers that take record by record: records a second, and whether costs agree."""

from __future__ import annotations

from .boards import board_rows
from .hybrids import hybrid_rows
from .kept import kept_rows
from .pairs import SUITES, Row, Wanted
from .sequences import sequence_rows
from .streams import Peer, Stream, stream_rows

RECORDS = 4_000  # of our stream
SAMPLE = 200  # of its first records, for what solves them one by one
ACCURACY = 0.97  # of the classifier, label by label
_LEAST = 0.02  # seconds of SAMPLE records of one side of a pair
# Kind, variables, rules (see sides/rule_streams.py), seed.
PACKS = (("mixL", 30, 60, 1), ("rand3", 30, 60, 1), ("mixG", 100, 300, 1), ("rand3", 100, 300, 1))
_PEERS = (
    Peer("python-sat RC2", "pysat_rules", {"solver": "RC2"}, optional=False),
    Peer("python-sat RC2Stratified", "pysat_rules", {"solver": "RC2Stratified"}, optional=False),
    Peer("OR-tools CP-SAT", "ortools_rules", {}, optional=True, sample=60),
)


@SUITES.option("rules", "Rules", formula="records/s of exact repair over a stream, beside MaxSAT and CP-SAT")
def rules(wanted: Wanted) -> list[Row]:
    """Return the comparisons of every pack with every peer, and on how many records their costs agree."""
    rows: list[Row] = []
    for kind, variables, count, seed in PACKS:
        title = f"Repair, {kind}, {variables} variables, {count} rules"
        job = {"kind": kind, "variables": variables, "rules": count, "seed": seed, "accuracy": ACCURACY}
        rows += stream_rows(
            Stream(title, "ours_rules", _PEERS, job, RECORDS, SAMPLE, "records/s", _LEAST), wanted
        )
    rows += sequence_rows(wanted, _LEAST) + board_rows(wanted, _LEAST)
    return rows + kept_rows(wanted) + hybrid_rows(wanted)
