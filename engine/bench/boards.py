"""Repair of Sudoku boards read from images, beside MaxSAT and CP-SAT: rows of the suite on rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .pairs import Row, Wanted, host
from .streams import Peer, Stream, stream_rows

_PAIRS = 3  # at most: boards are slow, and differ from each other more than one pair from the next
_PEERS = (
    Peer("python-sat RC2Stratified", "pysat_boards", {}, optional=True),
    Peer("OR-tools CP-SAT", "ortools_boards", {}, optional=True),
)


@dataclass(frozen=True)
class Reader:
    """Who reads the digits of how many boards, and whether it is told which cells are blank.

    Attributes:
        name: who.
        job: what every side is told.
        records: how many boards our side repairs.
        sample: how many of the first of these the peers do, which take a tenth of a second or more for each,
            and seconds where the reader is poor.
    """

    name: str
    job: dict[str, Any]
    records: int
    sample: int = 20


READERS = (
    Reader("network, blank cells given", {"reader": "model", "blank": "given"}, 500),
    Reader("network, blank cells read too", {"reader": "model", "blank": "read"}, 500),
    Reader("ridge on 100 digits", {"reader": "ridge", "digits": 100, "blank": "given"}, 60, sample=4),
)


def board_rows(wanted: Wanted, least: float) -> list[Row]:
    """Return the comparisons for every reader, and how many boards are right; none without peers."""
    rows: list[Row] = []
    for reader in READERS if wanted.peers else ():
        title = f"Repair of Sudoku boards, {reader.name}"
        job = {**reader.job, "seed": 1}
        became: list[Row] = []
        stream = Stream(
            title,
            "ours_boards",
            _PEERS,
            job,
            reader.records,
            reader.sample,
            "boards/s",
            least,
            _became(reader, became),
        )
        rows += stream_rows(stream, replace(wanted, pairs=min(wanted.pairs, _PAIRS)))
        rows += became
    return rows


def _became(reader: Reader, rows: list[Row]) -> Any:
    """Return what reads, in the folder of a stream, what became of the boards, into `rows`."""

    def read(folder: Path) -> None:
        with np.load(folder / "became.npz") as kept:
            right, single, alone, proven = (
                float(kept[key].mean()) for key in ("right", "single", "alone", "proven")
            )
            cells = float(kept["accuracy"])
        count, name = reader.records, f"Sudoku boards right, {reader.name}, {cells:.2%} of cells"
        beaten = max(alone, 1 / count)
        rows.append(Row(name, right, alone, "argmax alone", "of boards", right / beaten, count, 1, host()))
        if reader.job["reader"] == "model":
            name += ", readings with one solution"
            rows.append(
                Row(name, single, alone, "argmax alone", "of boards", single / beaten, count, 1, host())
            )
        name = f"Sudoku boards proven cheapest in time, {reader.name}"
        rows.append(Row(name, proven, 1.0, "all", "of boards", proven, count, 1, host()))

    return read
