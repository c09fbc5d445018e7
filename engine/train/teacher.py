"""A teacher: another network whose scores and attention maps pull at the one that is trained.

It is a graph with its latent weights, compiled like the student's, or a packed model from a file. Either
gives scores before any rules, and the feature maps of its nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..augmentations import Batch
from ..errors import TrainError
from ..files.store import Weights
from ..graph import Graph
from ..losses import attention_transfer, distillation
from ..node import Moment
from ..ports import F32, Array
from ..records import Records, as_floats
from ..runtime.program import Program
from ..settings import Training
from .floats import with_float_activations
from .plan import Plan, Values, answer_wire

End = tuple[str, str]  # a node and one of its outputs
Maps = dict[End, tuple[int, ...]]  # the places of feature maps


@dataclass(frozen=True)
class Taught:
    """What a teacher adds to a step: to losses, to dL/dscores, and gradients that begin at inner nodes."""

    losses: F32
    grad: F32
    also: dict[End, F32]


class Teacher:
    """Gives what its network says of records, and pulls the student towards it."""

    def __init__(self, graph: Graph, forward: Callable[[Records], Values], settings: Training) -> None:
        """Begin with a network.

        Args:
            graph: the teacher's.
            forward: returns the arrays of its nodes' outputs for up to a batch of records.
            settings: the student's.
        """
        self.graph, self._forward, self._settings = graph, forward, settings
        self._answer = answer_wire(graph)
        self._pairs: tuple[tuple[End, End], ...] = ()
        self._known: F32 | None = None

    @classmethod
    def of_weights(cls, graph: Graph, weights: Weights, settings: Training, *, floats: bool) -> Teacher:
        """Return the teacher that a training left; `floats` where nothing was quantized in it."""
        drawn = with_float_activations(graph) if floats else graph
        plan = Plan(drawn, weights, settings.batch)
        plan.tell(Moment(weights=not floats, activations=not floats, learning=False))

        def forward(records: Records) -> Values:
            plan.forward(records)
            return plan.values

        return cls(drawn, forward, settings)

    @classmethod
    def of_program(cls, program: Program, settings: Training) -> Teacher:
        """Return the teacher that a packed model is."""
        target = answer_wire(program.graph).target
        columns = len(program.source.header.columns) if program.source.header else 0

        def forward(records: Records) -> Values:
            facts = records.facts
            if facts.shape[1] != columns:
                facts = np.full((len(records), columns), np.nan)
            told = Records(records.samples, records.labels, facts)
            parts = list(program.runs(told, only=target))
            return {end: np.concatenate([part[end] for part in parts]) for end in parts[0]}

        return cls(program.graph, forward, settings)

    def match(self, student: Graph, named: str) -> None:
        """Choose which of the student's maps are compared with which of the teacher's.

        Args:
            student: its graph as it is now trained.
            named: `NODE` or `NODE = TEACHER'S NODE`, comma between; empty: of every size of map the last
                that both have.

        Raises:
            TrainError: a node is not there, gives no map, or the maps differ in size.
        """
        if not self._settings.attention_weight:
            return
        mine, theirs = _maps(student), _maps(self.graph)
        if named.strip():
            self._pairs = tuple(_named(part, mine, theirs) for part in named.split(","))
            return
        last = {size: end for end, size in theirs.items()}
        found = {size: (end, last[size]) for end, size in mine.items() if size in last}
        if not found:
            words = "The teacher and the network it teaches have no maps of the same height and width."
            raise TrainError(words, do="Set Attention weight to 0, or choose another teacher.")
        self._pairs = tuple(found.values())

    def teach(self, plan: Plan, scores: F32, batch: Batch, records: Records) -> Taught:
        """Return what the teacher adds for a batch that the student's `plan` has just run forward."""
        settings = self._settings
        values = self._forward(Records(as_floats(batch.samples), records.labels, records.facts))
        taught = np.asarray(values[self._answer.source, self._answer.output], np.float32)
        losses, grad = distillation(scores, taught, settings.temperature)
        total = np.float32(settings.teacher_weight) * losses
        also: dict[End, F32] = {}
        for mine, theirs in self._pairs:
            value = plan.value(*mine)
            pulled, d_value = attention_transfer(_places(value), _places(values[theirs]))
            total += np.float32(settings.attention_weight) * pulled
            also[mine] = (np.float32(settings.attention_weight) * d_value).reshape(value.shape)
        return Taught(total, np.float32(settings.teacher_weight) * grad, also)


def _maps(graph: Graph) -> Maps:
    """Return the places (all axes but the last) of every feature map that learned nodes give, in order."""
    found: Maps = {}
    for name in graph.order:
        node = graph.node(name)
        if node.learning != "gradient":
            continue
        for port, spec in zip(node.outputs, graph.output_specs(name), strict=True):
            if spec.type == "real" and len(spec.shape) > 1:
                found[name, port.name] = spec.shape[:-1]
    return found


def _named(part: str, mine: Maps, theirs: Maps) -> tuple[End, End]:
    first, _, second = (piece.strip() for piece in part.partition("="))
    ends = []
    for name, maps, whose in ((first, mine, "network"), (second or first, theirs, "teacher")):
        end = next((e for e in maps if e[0] == name), None)
        if end is None:
            there = ", ".join(e[0] for e in maps) or "none"
            raise TrainError(f"The {whose} has no feature map {name!r}; there are {there}.")
        ends.append(end)
    if mine[ends[0]] != theirs[ends[1]]:
        words = f"The maps of {first} and {second or first} differ: {mine[ends[0]]} and {theirs[ends[1]]}."
        raise TrainError(words, do="Name two of the same height and width.")
    return ends[0], ends[1]


def _places(array: Array) -> F32:
    """Return maps, (n, ..., channels), as (n, places, channels)."""
    return np.asarray(array, np.float32).reshape(len(array), -1, array.shape[-1])
