"""Gradients against finite differences, node by node, on the float twin of a graph.

A sign has no derivative worth the name, so no estimator can be checked against one: what is checked is the
network of the float stage (train/floats.py), whose arithmetic is that of every stage but for the steps. What
gives spikes or bits there too passes an estimate back; nothing that stands before it can be checked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ..graph import Graph
from ..node import Moment, Parameter
from ..ports import F32, F64, I64
from ..records import Records
from .floats import with_float_activations
from .loop import Run
from .penalties import Ends, Penalties
from .plan import Plan

RECORDS = 12  # records of the batch that is differentiated
ELEMENTS = 6  # elements of each array that are moved
STEPS = (3e-2, 1e-2, 3e-3, 1e-3, 3e-4)  # how far, in sizes of the array; the best counts: a kink may be near
ALLOWED = 0.05  # relative error that float32 and a kink or two may make
_NOTHING = 0.01  # share of a node's gradient that one of its arrays counts at the least
_SIZE = 0.1  # of an array of zeros
_CLOSE = 0.003  # an error that needs no smaller step
_ESTIMATED = ("spikes", "bits", "hypervector")
_FAMILIES = ("snn", "hdc", "logic")


@dataclass(frozen=True)
class NodeCheck:
    """What was found of one node.

    Attributes:
        node: its name.
        compared: elements of its parameters that were moved.
        error: the worst relative error of its parameters, ||numeric - given|| / ||numeric||, against no less
            than a hundredth of what the whole node has; NaN where nothing was compared.
        remark: what should be known of it, or "".
    """

    node: str
    compared: int
    error: float
    remark: str = ""

    @property
    def fine(self) -> bool:
        """Whether nothing speaks against its gradient."""
        return not self.error > ALLOWED


def check_gradients(project: Any) -> tuple[NodeCheck, ...]:
    """Compare the gradient of every node that learns with finite differences, at the start of a training.

    Args:
        project: an `engine.files.project.Project`; its data is read and its weights are made as training
            makes them, and nothing is written.

    Raises:
        TrainError: the graph cannot be trained.
        DataError: its data cannot be read.
    """
    run = Run(replace(project, training=replace(project.training, batch=RECORDS)))
    records = run.prepared().take(slice(0, RECORDS))
    graph = _differentiable(with_float_activations(project.graph))
    plan = Plan(graph, run.weights, RECORDS)
    plan.tell(Moment(weights=False, activations=False))
    scores = _forward(plan, records)
    pulls = np.random.default_rng(0).standard_normal(scores.shape).astype(np.float32)
    penalties = Penalties(graph, weight, plan) if (weight := project.training.rule_weight) else None
    also: Ends = {}
    if penalties:
        penalties.add(plan, also)
    plan.backward(pulls, also)
    hidden = _behind_estimates(graph, plan)

    def value() -> float:
        pulled = float((_forward(plan, records).astype(np.float64) * pulls).sum())
        return pulled + (float(penalties.add(plan, {}).mean()) if penalties else 0.0)

    given = {key: p.grad.copy() for key, p in plan.parameters().items()}
    found: dict[str, list[_Compared]] = {}
    for key, p in plan.parameters().items():
        name = key.split("/")[0]
        if name not in hidden:
            found.setdefault(name, []).append(_compare(p, given[key], value))
    return tuple(
        NodeCheck(
            name,
            sum(one.elements for one in found.get(name, [])),
            _worst(found.get(name, [])),
            _remark(project.graph, name, hidden=name in hidden, learns=bool(operator.parameters())),
        )
        for name, operator in plan.operators.items()
        if operator.parameters() or graph.node(name).learning == "gradient"
    )


class _Compared(NamedTuple):
    """How many elements of a parameter were moved, how far off they were and how long their gradient is.

    Both lengths are those of the change that moving the array by its own size would make.
    """

    elements: int
    off: float
    length: float


def _worst(compared: list[_Compared]) -> float:
    """Return the worst relative error; a gradient that is nothing but noise counts by the node's whole."""
    if not compared:
        return float("nan")
    whole = float(np.linalg.norm([one.length for one in compared]))
    lengths = [max(one.length, _NOTHING * whole) for one in compared]
    return max(one.off / length if length else 0.0 for one, length in zip(compared, lengths, strict=True))


def _compare(p: Parameter, given: F32, value: Callable[[], float]) -> _Compared:
    flat, grad = p.value.reshape(-1), given.reshape(-1)
    places = _places(grad)
    size = float(np.sqrt(np.square(flat, dtype=np.float64).mean())) or _SIZE
    wanted = grad[places].astype(np.float64)
    off, numeric = np.full(len(places), np.inf), np.zeros(len(places))
    for step in STEPS:
        slopes = _slopes(flat, places, step * size, value)
        closer = np.abs(slopes - wanted) < off
        numeric[closer], off[closer] = slopes[closer], np.abs(slopes - wanted)[closer]
        length = max(float(np.linalg.norm(numeric)), float(np.linalg.norm(wanted)))
        if np.linalg.norm(off) <= _CLOSE * length:
            break
    return _Compared(len(places), size * float(np.linalg.norm(off)), size * length)


def _slopes(flat: F32, places: I64, step: float, value: Callable[[], float]) -> F64:
    out = np.zeros(len(places))
    for i, at in enumerate(places):
        before = flat[at]
        flat[at] = before + np.float32(step)
        high, up = float(flat[at]), value()
        flat[at] = before - np.float32(step)
        low, down = float(flat[at]), value()
        flat[at] = before
        out[i] = (up - down) / (high - low)
    return out


def _places(grad: F32) -> I64:
    """Return where to look: half the largest gradients, half anywhere."""
    rng = np.random.default_rng(grad.size)
    largest = np.argsort(-np.abs(grad), kind="stable")[: ELEMENTS // 2]
    return np.unique(np.concatenate([largest, rng.integers(0, grad.size, ELEMENTS // 2)]))


def _forward(plan: Plan, records: Records) -> F32:
    plan.reseed(0, 0)  # the same chance every time
    return plan.forward(records)


def _differentiable(graph: Graph) -> Graph:
    """Return `graph` with every vote soft and trained by one loss: members that learn apart have several."""
    for name in graph.of_kind("bnn.vote"):
        graph = graph.change(name, how="soft", training="together")
    return graph


def _behind_estimates(graph: Graph, plan: Plan) -> set[str]:
    """Return the nodes whose gradient comes through an estimate, or is one."""
    estimated = [
        name
        for name in plan.operators
        if graph.node(name).learning == "gradient"
        and (
            graph.node(name).family in _FAMILIES
            or any(spec.type in _ESTIMATED for spec in graph.output_specs(name))
        )
    ]
    return set().union(*(graph.upstream(name) for name in estimated))


def _remark(graph: Graph, name: str, *, hidden: bool, learns: bool) -> str:
    if hidden:
        return "behind an estimate: there is no derivative to compare"
    node = graph.node(name)
    widths = [str(getattr(node, field)) for field in node.bit_fields()]
    if any(spec.type == "bits" for spec in graph.output_specs(name)) or any(w != "32" for w in widths):
        return "compared as floats; quantized, its gradient is an estimate"
    return "" if learns else "nothing to learn: compared through what stands before it"
