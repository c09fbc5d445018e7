"""Repair of event sequences beside CP-SAT with its automaton constraint: rows of the suite on rules."""

from __future__ import annotations

from .pairs import Row, Wanted
from .streams import Peer, Stream, stream_rows

RECORDS = 4_000  # of our stream
SAMPLE = 12  # of its first records, for CP-SAT, which takes a tenth of a second or more for each
PACKS = ("protocol4", "protocol8", "protocol14")  # see sides/sequence_streams.py
_PEERS = (Peer("OR-tools CP-SAT", "ortools_sequences", {}, optional=True),)


def sequence_rows(wanted: Wanted, least: float) -> list[Row]:
    """Return the comparisons of every pack; none where no other programs are asked for."""
    rows: list[Row] = []
    for pack in PACKS if wanted.peers else ():
        title = f"Repair of sequences, {pack}, 8 events, 30 steps"
        job = {"pack": pack, "seed": 1}
        stream = Stream(
            title,
            "ours_sequences",
            _PEERS,
            job,
            RECORDS,
            SAMPLE,
            "sequences/s",
            least,
            clock="processor",
        )
        rows += stream_rows(stream, wanted)
    return rows
