"""What guards add to the loss: the scores they correct learn to need less correction.

A guard's term looks at the scores before any correction, so that chained guards all speak of what the network
itself says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import PolybitError, TrainError
from ..graph import Graph, Wire
from ..node import Penalty
from ..ports import F32, F64
from .plan import Plan

Ends = dict[tuple[str, str], F32]  # gradients by node and output


@dataclass(frozen=True)
class _Term:
    """A guard, where the scores that it is about come from, what is wired to it, and its term."""

    name: str
    end: tuple[str, str]
    wires: tuple[Wire | None, ...]
    penalty: Penalty


class Penalties:
    """The terms of all guards over scores that are trained.

    Args:
        graph: the graph that is trained.
        weight: of each term beside the loss of the labels.
        plan: the compiled graph.

    Raises:
        TrainError: there is none, or a guard cannot say how probable it is that its rules are kept.
    """

    def __init__(self, graph: Graph, weight: float, plan: Plan) -> None:
        self._weight = np.float32(weight)
        self._terms: list[_Term] = []
        for name in graph.order:
            end = _trained(graph, name)
            if end is not None and plan.runs(end[0]):
                self._add_term(graph, name, end)
        if not self._terms:
            words = "Weight of rules is set, but no guard with rules corrects scores that are trained."
            raise TrainError(words, do="Add a Constraint guard with rules, or set Weight of rules to 0.")

    def add(self, plan: Plan, also: Ends) -> F64:
        """Return the weighted terms of each record last run forward, and add their gradients to `also`."""
        losses = []
        for term in self._terms:
            inputs = [plan.values.get((w.source, w.output)) if w else None for w in term.wires]
            scores = np.asarray(plan.value(*term.end), np.float32)
            values, grad = term.penalty(scores, *inputs[1:])
            losses.append(float(self._weight) * values)
            grad = self._weight * grad
            also[term.end] = also[term.end] + grad if term.end in also else grad
        total: F64 = np.sum(losses, axis=0)
        return total

    def figures(self) -> dict[str, float]:
        """Return the figures of the last batch, as `NODE: FIGURE`."""
        return {f"{t.name}: {k}": v for t in self._terms for k, v in t.penalty.figures().items()}

    # Inside

    def _add_term(self, graph: Graph, name: str, end: tuple[str, str]) -> None:
        try:
            penalty = graph.node(name).penalty(*graph.input_specs(name))
        except PolybitError as error:
            words = f"{name} cannot be learned with: {error.what}"
            raise TrainError(words, why=error.why, do="Set Weight of rules to 0.") from None
        if penalty:
            self._terms.append(_Term(name, end, graph.into(name), penalty))


def _trained(graph: Graph, name: str) -> tuple[str, str] | None:
    """Return the node and output that the scores of a guard come from before any correction."""
    wire: Wire | None = None
    while graph.node(name).corrects:
        node = graph.node(name)
        wire = graph.into(name)[[p.name for p in node.inputs].index(node.corrects)]
        if wire is None:
            return None
        name = wire.source
    return (wire.source, wire.output) if wire else None
