"""Streams of records that one side repairs at once and its peers one by one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .pairs import Comparison, Row, Wanted, compare_timed, host
from .workers import Side, SideError

_MOST = 12.0  # seconds for the pairs of one comparison


@dataclass(frozen=True)
class Peer:
    """What takes record by record.

    Attributes:
        name: what it is.
        module: its side.
        job: what its side is told beside the stream.
        optional: whether it is measured only where other programs are asked for.
        sample: how many of the first records it does; 0 for as many as the stream's.
    """

    name: str
    module: str
    job: dict[str, str]
    optional: bool
    sample: int = 0


@dataclass(frozen=True)
class Stream:
    """One stream.

    Attributes:
        title: what is repaired.
        ours: our side.
        peers: the others.
        job: what every side is told.
        records: how many our side repairs.
        sample: how many of the first of these the peers do.
        unit: what they are a second.
        least: seconds that one side of a pair should take at least.
        after: is given the folder of the sides' files before it goes, for more than times and costs.
        clock: `wall`, or `processor` where our side asks no other process, as it may as a last resort.
    """

    title: str
    ours: str
    peers: tuple[Peer, ...]
    job: dict[str, Any]
    records: int
    sample: int
    unit: str
    least: float
    after: Callable[[Path], None] = lambda folder: None
    clock: str = "wall"


def stream_rows(stream: Stream, wanted: Wanted) -> list[Row]:
    """Return the comparisons of a stream with every peer, and on how many records their costs agree."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        job = {**stream.job, "folder": folder, "records": stream.records, "sample": stream.sample}
        with Side(stream.ours, {**job, "name": "ours"}, cores=1, clock=stream.clock) as ours:
            for peer in stream.peers:
                if wanted.peers or not peer.optional:
                    rows += _beside(stream, ours, peer, job, wanted)
        stream.after(Path(folder))
    return rows


def _beside(stream: Stream, ours: Side, peer: Peer, job: dict[str, Any], wanted: Wanted) -> list[Row]:
    sample = peer.sample or stream.sample
    told = {**job, **peer.job, "name": peer.name, "sample": sample}
    try:
        with Side(peer.module, told, cores=1, clock=stream.clock) as theirs:
            what = Comparison(
                name=stream.title,
                peer_name=peer.name,
                amount=sample,
                unit=stream.unit,
                pairs=wanted.pairs,
                least=stream.least,
                most=_MOST,
                share=sample / stream.records,
            )
            speed = compare_timed(what, ours.time, theirs.time)
    except SideError as error:
        wanted.note(f"{stream.title}: {peer.name} is left out: {error}")
        return []
    wanted.note(f"{stream.title}: {speed.ratio:,.0f} times {peer.name}.")
    return [speed, _agreement(stream, peer.name, Path(job["folder"]))]


def _agreement(stream: Stream, peer: str, folder: Path) -> Row:
    """Return on how many records of the sample both sides found the same least cost."""
    theirs = np.load(folder / f"{peer}.npy")
    agreed = int((np.load(folder / "ours.npy")[: len(theirs)] == theirs).sum())
    name = f"Same cost, {stream.title[0].lower()}{stream.title[1:]}"
    unit = stream.unit.partition("/")[0]
    return Row(name, agreed, len(theirs), peer, unit, agreed / len(theirs), 1, 1, host())
