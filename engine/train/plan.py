"""The gradient stage's compiled graph: operators in order, buffers made once, gradients summed at forks.

Only nodes on a way from the data to the loss take part. A memory gives zeros until it is filled, and what
feeds only memories is left out; a node that corrects answers (`Node.corrects`) is stepped over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..bnn.flips import Labelled
from ..convert import convert
from ..errors import TrainError
from ..graph import Graph, Wire
from ..node import Footprint, Moment, Operator, Parameter
from ..ports import F32, Array, Arrays
from ..records import Records, as_floats
from ..source import Source
from .ahead import look_ahead

Values = dict[tuple[str, str], Array]


class Plan:
    """Runs a graph forward and backward on batches.

    Attributes:
        operators: by node name, in running order.
    """

    def __init__(self, graph: Graph, weights: dict[str, Arrays], batch: int) -> None:
        self._graph, self._batch = graph, batch
        self._end = answer_wire(graph)
        names = live(graph)
        self._names = [name for name in graph.order if name in names]
        self.operators: dict[str, Operator] = {
            name: graph.node(name).operator(weights[name], batch, *graph.input_specs(name))
            for name in self._names
            if not isinstance(graph.node(name), Source) and graph.node(name).learning != "memory"
        }
        self._ahead = look_ahead(graph, self.operators, self._end)
        self._learning = {name for name, op in self.operators.items() if op.parameters()}
        self._wanting = {n for n in self.operators if graph.upstream(n) & self._learning}
        for name, operator in self.operators.items():
            operator.input_wanted = bool((graph.upstream(name) - {name}) & self._learning)
            operator.input_spare = all(wire and self._spare(wire) for wire in graph.into(name))
        for name in reversed(self.operators):
            self.operators[name].grad_spare = self._back_spare(name)
        shapes = [graph.output_specs(n)[0].shape for n in self._names if isinstance(graph.node(n), Source)]
        self._floats = np.empty((batch, *shapes[0]), np.float32) if shapes else np.empty(0, np.float32)
        self._values: Values = {}

    def parameters(self) -> dict[str, Parameter]:
        """Return every trainable array, keyed `node/array`."""
        return {f"{name}/{p.name}": p for name, op in self.operators.items() for p in op.parameters()}

    def runs(self, name: str) -> bool:
        """Return whether a node takes part."""
        return name in self._names

    def reseed(self, seed: int, epoch: int) -> None:
        """Start every operator's chance for an epoch, so that a resumed run draws what a whole one drew."""
        for i, operator in enumerate(self.operators.values()):
            operator.rng = np.random.default_rng([seed, epoch, i])

    def tell(self, moment: Moment) -> None:
        """Tell every operator where the training stands."""
        for operator in self.operators.values():
            operator.moment = moment

    def forward(self, records: Records) -> F32:
        """Return the scores, float32 (n, classes), of the training forward pass."""
        self._values = {}
        for name in self._names:
            node = self._graph.node(name)
            if isinstance(node, Source):
                floats = as_floats(records.samples, self._floats[: len(records)])
                given: tuple[Array, ...] = (floats, records.labels, records.facts)
            elif name in self.operators:
                given = self.operators[name].execute(*self._inputs(name))
            else:
                given = tuple(spec.array(len(records)) for spec in self._graph.output_specs(name))
            for port, array in zip(node.outputs, given, strict=True):
                self._values[name, port.name] = array
        return np.asarray(self._values[self._end.source, self._end.output], np.float32)

    @property
    def values(self) -> Values:
        """Return the arrays of the last forward pass by node and output: views of buffers."""
        return self._values

    def value(self, name: str, output: str) -> Array:
        """Return what an output gave in the last forward pass: a view of a buffer."""
        return self._values[name, output]

    def backward(
        self,
        grad: F32,
        also: Mapping[tuple[str, str], F32] | None = None,
        labelled: Labelled | None = None,
    ) -> None:
        """Fill the gradient of every parameter for `grad`, dL/dscores of the last forward pass.

        Args:
            grad: float32 (n, classes).
            also: gradients of terms of the loss that look at other outputs, by node and output.
            labelled: the part of the loss whose differences layers may ask for (bnn/flips.py), where their
                signs are drawn; `grad` holds its gradient too.
        """
        for ahead in self._ahead:
            ahead.end = labelled
        grads: dict[tuple[str, str], F32] = dict(also or {})
        end = (self._end.source, self._end.output)
        grads[end] = grads[end] + grad if end in grads else grad
        for name in reversed(self._names):
            if name not in self._wanting:
                continue
            given = tuple(grads.get((name, p.name)) for p in self._graph.node(name).outputs)
            back = self.operators[name].gradient(*given)
            for wire, g in zip(self._graph.into(name), back, strict=True):
                if wire is not None and g is not None:
                    end = (wire.source, wire.output)
                    grads[end] = grads[end] + g if end in grads else g

    def footprint(self) -> Footprint:
        """Return the bytes the plan holds; what a node gives counts as activations, not as workspace."""
        total = Footprint()
        for name, operator in self.operators.items():
            held = operator.memory_footprint()
            given = sum(spec.array(1).nbytes for spec in self._graph.output_specs(name)) * self._batch
            total += replace(held, activations=given, workspace=max(0, held.workspace - given))
        return total

    def _spare(self, wire: Wire) -> bool:
        """Return whether what a wire carries is read by nobody else once the forward pass is over."""
        maker = self.operators.get(wire.source)
        alone = sum(w[:2] == wire[:2] for w in self._graph.wires) == 1
        return maker is not None and maker.output_spare and alone

    def _back_spare(self, name: str) -> bool:
        """Return whether the gradient that comes back to a node is in a buffer that nobody else holds."""
        wires = [w for w in self._graph.wires if w.source == name]
        taker = self.operators.get(wires[0].target) if len(wires) == 1 else None
        if taker is None:
            return False
        return taker.back_spare == "own" or (taker.back_spare == "arrives" and taker.grad_spare)

    def _inputs(self, name: str) -> list[Any]:
        out: list[Any] = []
        for wire, port in zip(self._graph.into(name), self._graph.node(name).inputs, strict=True):
            if wire is None or (wire.source, wire.output) not in self._values:
                out.append(None)
                continue
            spec = self._graph.spec(wire)
            array = self._values[wire.source, wire.output]
            out.append(convert(array, spec, port) if spec else array)
        return out


def answer_wire(graph: Graph) -> Wire:
    """Return the wire of the scores that the loss looks at: those before any correction."""
    outputs = graph.of_kind("flow.output")
    wire = graph.into(outputs[0])[0] if len(outputs) == 1 else None
    while wire is not None and graph.node(wire.source).corrects:
        node = graph.node(wire.source)
        place = [p.name for p in node.inputs].index(node.corrects)
        wire = graph.into(wire.source)[place]
    if wire is None:
        raise TrainError("No scores reach the output.", do="Wire scores to one Classifier output.")
    return wire


def several_labels(graph: Graph) -> bool:
    """Return whether a record has several labels, by what is wired to the output."""
    (output,) = graph.of_kind("flow.output")
    spec = graph.input_specs(output)[1]
    return bool(spec and spec.several)


def live(graph: Graph) -> set[str]:
    """Return the names of the nodes that take part in the gradient stage."""
    end = answer_wire(graph).source
    found, look = {end}, [end]
    while look:
        name = look.pop()
        if graph.node(name).learning == "memory":
            continue
        new = {w.source for w in graph.into(name) if w} - found
        found |= new
        look.extend(new)
    return found
