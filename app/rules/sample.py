"""The records that rules are tried on: read beside the window, by part, and what a model says of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.data.dataset import open_data, read_all
from engine.errors import PolybitError
from engine.graph import Graph
from engine.ports import F32, F64
from engine.records import Records
from engine.runtime.program import Program

PARTS = {"all": "All records", "validation": "Validation", "test": "Test", "train": "Training"}


@dataclass(frozen=True)
class Sample:
    """The records of a project by part; see PARTS. Parts without records are left out."""

    parts: Mapping[str, Records]

    def count(self, part: str) -> int:
        """Return how many records a part has."""
        return len(self.parts[part]) if part in self.parts else 0


def read_sample(graph: Graph, folder: Path) -> Sample:
    """Return the records of a graph.

    Raises:
        GraphError, DataError: there is no data to read.
    """
    every = read_all(graph, folder)
    splits = open_data(graph, folder)
    parts = {"all": every, "validation": splits.validation, "test": splits.test, "train": splits.train}
    return Sample({name: records for name, records in parts.items() if len(records)})


def raw_scores(program: Program | None, name: str, count: int, record: Records) -> F32 | None:
    """Return the scores that arrive at a guard for one record, float32 (count,); None without a model.

    What only packs decide has no score: it gets 0, no leaning either way.

    Args:
        program: the trained model.
        name: the guard.
        count: how many scores the rules want.
        record: one record.
    """
    if program is None or name not in program.graph.nodes:
        return None
    try:
        values = next(program.runs(record, only=name))
        scores = program.inputs_of(name, values)[0]
    except (PolybitError, KeyError, StopIteration):
        return None
    if scores is None or scores.ndim != 2 or scores.shape[1] > count:
        return None
    found = np.zeros(count, np.float32)
    found[: scores.shape[1]] = scores[0]
    return found


def facts_at(graph: Graph, name: str, record: Records) -> F64:
    """Return the facts of one record as they arrive at a guard, float64 (columns,); NaN where not known.

    Nodes that the facts pass, as measures of an image, take part; those that learn are not known before.
    """
    spec, wire = graph.input_specs(name)[1], graph.into(name)[1]
    wanted = len(spec.columns) if spec else 0
    unknown = np.full(wanted, np.nan)
    if wire is None:
        return unknown
    feeding = graph.upstream(wire.source)
    if any(graph.node(one).learning != "none" for one in feeding):
        return unknown
    path = graph.remove(*(set(graph.nodes) - feeding - {name, *graph.of_kind("flow.output")}))
    try:
        values = next(Program(path, {}).runs(record, only=name))
        facts = np.asarray(values[wire.source, wire.output][0], np.float64).reshape(-1)
    except (PolybitError, KeyError, StopIteration):
        return unknown
    return facts if len(facts) == wanted else unknown
