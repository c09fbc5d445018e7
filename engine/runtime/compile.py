"""From a graph with packed arrays to the steps of a compiled program.

Followed from the scores back to the data. Wherever a layer's whole sums reach packed bits, levels or the
scores through steps of single elements (fusion.py), the floats between are replaced by thresholds or by a
table. These are found by running the nodes' own predictors, so the bytes are those of the uncompiled program.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np

from ..convert import convert
from ..fusion import LargestOf, OverLargest, PerElement, WholeSums
from ..graph import Graph, Wire
from ..node import Predictor
from ..ports import I64, Array, Port, Spec
from ..source import SAMPLES, Source
from .alone import Layout
from .chains import Chain, Signs, levels_of, signs_of
from .maps import mapped, straight
from .sign_floats import SignFloats, summed
from .stack import SignScores, joined
from .steps import Bytes, Call, Compare, Count, LookUp, PoolSigns, Rescale, Step, Sums
from .thresholds import FINITE, find, float_at, in_int32, packed_bits

Fed = Literal["float32", "uint8"]
_MOST_TABLE = 1 << 18  # entries: a megabyte
_MOST_STEPS = 15  # thresholds to count; more take longer than the floats
_BYTES = range(256)
_LEAST, _MOST = 16, 1024  # records of a chunk
_CACHE = 1 << 19  # bytes that the arrays of two steps may take: a common second-level cache


@dataclass
class Compiled:
    """The steps of a program, and where its inputs and outputs stand.

    Attributes:
        steps: in running order.
        slots: how many there are.
        given: the slots of the source's outputs, by port name.
        wanted: the slots of the arrays that were asked for.
        fed: the dtype of the samples.
    """

    fed: Fed
    steps: list[Step] = field(default_factory=list)
    slots: int = 0
    given: dict[str, int] = field(default_factory=dict)
    wanted: tuple[int, ...] = ()

    @cached_property
    def finite(self) -> bool:
        """Return whether no score of any record is infinite or not a number."""
        tables = {one.write: one.table for one in self.steps if isinstance(one, LookUp | SignScores)}
        ends = {place for place, table in tables.items() if np.isfinite(table).all()}
        ends |= {one.write for one in self.steps if isinstance(one, SignFloats) and one.finite}
        return set(self.wanted) <= ends

    @cached_property
    def alone(self) -> Layout | None:
        """Return it laid out for one record alone, or None where a step has no instruction."""
        return Layout.of(self.fed, self.given.get(SAMPLES.name), self.steps, self.wanted[0])

    @cached_property
    def chunk(self) -> int:
        """Return how many records are best run at a time: as many as keep two steps' arrays in the cache."""
        sizes = [step.nbytes[1] for step in self.steps]
        each = max(map(sum, zip(sizes, [0, *sizes], strict=False)), default=0)
        return int(np.clip(_CACHE // max(1, each), _LEAST, _MOST)) // 16 * 16


class Compiler:
    """Compiles one graph for one kind of samples."""

    def __init__(
        self, graph: Graph, predictor: Callable[[str], Predictor], names: list[str], fed: Fed
    ) -> None:
        self._graph, self._predictor, self._fed = graph, predictor, fed
        self._done = Compiled(fed)
        self._at: dict[tuple[str, ...], int] = {}
        self._uses: dict[tuple[str, str], int] = {}
        for wire in graph.wires:
            if wire.target in names:
                self._uses[wire.source, wire.output] = self._uses.get((wire.source, wire.output), 0) + 1

    def compiled(self, wanted: list[Wire]) -> Compiled:
        """Return the steps that give the arrays of `wanted`, by source and output."""
        self._done.wanted = ends = tuple(self._slot(wire) for wire in wanted)
        steps = self._done.steps
        self._done.steps = summed(mapped(joined(straight(steps, ends), ends), ends), ends)
        return self._done

    # Slots

    def _new(self) -> int:
        self._done.slots += 1
        return self._done.slots - 1

    def _add(self, step: Step) -> None:
        self._done.steps.append(step)

    def _slot(self, wire: Wire) -> int:
        """Return the slot of the array that stands on a wire, before any conversion."""
        wire = self._through(wire)
        key = (wire.source, wire.output)
        if key not in self._at:
            node = self._graph.node(wire.source)
            if isinstance(node, Source):
                self._at[key] = self._sample_slot(wire)
            elif isinstance(self._predictor(wire.source), PerElement | WholeSums):
                self._at[key] = self._end(self._chain_at(wire))
            else:
                self._call(wire.source)
        return self._at[key]

    def _sample_slot(self, wire: Wire) -> int:
        slot = self._given(wire)
        if not self._is_samples(wire) or self._fed == "float32":
            return slot
        made = self._new()
        as_floats: Predictor = lambda x: (x.astype(np.float32),)  # noqa: E731
        self._add(Call((wire.source,), as_floats, (slot,), (made,), "Samples of 8 bits read as numbers"))
        return made

    def _given(self, wire: Wire) -> int:
        if wire.output not in self._done.given:
            self._done.given[wire.output] = self._new()
        return self._done.given[wire.output]

    def _call(self, name: str) -> None:
        node = self._graph.node(name)
        if isinstance(self._predictor(name), OverLargest) and self._rescaled(name):
            return
        reads = tuple(None if w is None else self._converted(w, p) for w, p in self._ends(name))
        writes = []
        for port in node.outputs:
            self._at[name, port.name] = made = self._new()
            writes.append(made)
        words = f"{node.title}: its own predictor, array by array"
        each = sum(spec.array(1).nbytes for spec in self._graph.output_specs(name))
        step = Call((name,), self._predictor(name), reads, tuple(writes), words, nbytes=(0, each))
        self._add(step)

    def _rescaled(self, name: str) -> bool:
        """Add the step of a node that scales each record of the samples, if it does."""
        wire, spec = self._graph.into(name)[0], self._graph.output_specs(name)[0]
        behind = None if wire is None else self._through(wire)
        if behind is None or not self._is_samples(behind):
            return False
        self._at[name, self._graph.node(name).outputs[0].name] = made = self._new()
        self._add(Rescale((name,), self._given(behind), made, spec.shape))
        return True

    def _converted(self, wire: Wire, port: Port) -> int:
        slot, spec = self._slot(wire), self._graph.spec(wire)
        if spec is None or not _changes(spec, port):
            return slot
        key = (wire.source, wire.output, "as", port.accepts[0])
        if key not in self._at:
            self._at[key] = made = self._new()
            reading: Predictor = lambda x: (convert(x, spec, port),)  # noqa: E731
            self._add(Call((wire.source,), reading, (slot,), (made,), "Bits read as numbers"))
        return self._at[key]

    def _ends(self, name: str) -> list[tuple[Wire | None, Port]]:
        return list(zip(self._graph.into(name), self._graph.node(name).inputs, strict=True))

    # Chains

    def _through(self, wire: Wire) -> Wire:
        """Return the wire behind nodes that pass their input on untouched."""
        while True:
            node = self._graph.node(wire.source)
            first = node.outputs[0].name if node.outputs else ""
            if wire.output != first or not node.passes or isinstance(self._predictor_of(wire), PerElement):
                return wire
            place = [p.name for p in node.inputs].index(node.passes)
            behind = self._graph.into(wire.source)[place]
            if behind is None:
                return wire
            wire = behind

    def _predictor_of(self, wire: Wire) -> Predictor | None:
        return None if isinstance(self._graph.node(wire.source), Source) else self._predictor(wire.source)

    def _chain_at(self, wire: Wire) -> Chain:
        """Return the chain that ends in what stands on `wire`."""
        chain = Chain((), (), wire)
        while True:
            wire = self._through(wire)
            predictor = self._predictor_of(wire)
            alone = not chain.names or self._uses.get((wire.source, wire.output), 0) == 1
            pools = isinstance(predictor, LargestOf) and bool(chain.names) and chain.pool is None
            if not alone or not (pools or isinstance(predictor, PerElement | WholeSums)):
                return replace(chain, wire=wire)
            chain = replace(chain, names=(wire.source, *chain.names), wire=wire)
            if isinstance(predictor, WholeSums):
                functions = (predictor.finish, *chain.functions)
                return replace(chain, functions=functions, layer=wire.source, before=chain.before + 1)
            if not isinstance(predictor, PerElement | LargestOf):
                raise TypeError(wire.source)
            behind, port = self._ends(wire.source)[0]
            if behind is None:
                raise RuntimeError("a node without an input")
            spec = self._graph.spec(behind)
            reading = (_conversion(spec, port),) if spec and _changes(spec, port) else ()
            chain = _with(chain, predictor, reading)
            wire = behind

    def _taken(self, name: str) -> int:
        """Return the slot of a layer's input as its product takes it."""
        layer, (wire, port) = self._layer(name), self._ends(name)[0]
        if wire is None:
            raise RuntimeError("a layer without an input")
        as_bytes = layer.product.takes_bytes
        if layer.take is None:
            chain = self._chain_into(wire, port)
            if as_bytes and chain.functions and self._is_samples(chain.wire):
                return self._end(chain, as_bytes=True)
            return self._slot(wire)
        if not isinstance(layer.take, PerElement):
            made = self._new()
            self._add(
                Call((name,), layer.take, (self._converted(wire, port),), (made,), "Its input quantized")
            )
            return made
        chain = self._chain_into(wire, port)
        functions, turns = (*chain.functions, layer.take.function), chain.turns or layer.take.turns
        chain = replace(chain, names=(*chain.names, name), functions=functions, turns=turns)
        return self._end(chain, as_bytes=as_bytes)

    def _chain_into(self, wire: Wire, port: Port) -> Chain:
        """Return the chain that ends in what arrives by `wire` at `port`."""
        behind, spec = self._through(wire), self._graph.spec(wire)
        alone = self._uses.get((wire.source, wire.output), 0) == 1
        states = isinstance(self._predictor_of(behind), PerElement | WholeSums)
        chain = self._chain_at(behind) if alone and states else Chain((), (), behind)
        if spec is None or not _changes(spec, port):
            return chain
        return replace(chain, functions=(*chain.functions, _conversion(spec, port)))

    def _layer(self, name: str) -> WholeSums:
        layer = self._predictor(name)
        if not isinstance(layer, WholeSums):
            raise TypeError(name)
        return layer

    # Ends of chains

    def _end(self, chain: Chain, *, as_bytes: bool = False) -> int:
        """Return the slot of a chain's last array, by the shortest way there is.

        Args:
            chain: what is wanted.
            as_bytes: whether levels from 0 to 255 may be uint8.
        """
        if chain.layer:
            return self._from_sums(chain)
        if self._is_samples(chain.wire):
            made = self._from_samples(chain, as_bytes)
            return self._plain(chain, self._slot(chain.wire)) if made is None else made
        return self._from_array(chain, self._slot(chain.wire))

    def _from_array(self, chain: Chain, read: int) -> int:
        spec = self._graph.spec(chain.wire)
        if spec is None or spec.type not in ("real", "scores"):
            return self._plain(chain, read)
        if chain.run(np.zeros((1, *spec.shape), np.float32)).dtype != np.uint64:
            return self._plain(chain, read)
        found = signs_of(chain, spec.shape, FINITE, float_at)
        return self._signs(chain, found, read, "Floats to packed bits by one threshold each")

    def _plain(self, chain: Chain, slot: int) -> int:
        made = self._new()
        run: Predictor = lambda x: (chain.run(x),)  # noqa: E731
        each = max(spec.array(1).nbytes for name in chain.names for spec in self._graph.output_specs(name))
        words = "Number by number: its predictors, array by array"
        call = Call(chain.names, run, (slot,), (made,), words, nbytes=(0, each), parts=chain.functions)
        self._add(call)
        return made

    def _from_sums(self, chain: Chain) -> int:
        product = self._layer(chain.layer).product
        read, names = self._new(), chain.names
        self._add(Sums((chain.layer,), product, self._taken(chain.layer), read))
        shape, sums = product.shape, product.sums_range
        elements = int(np.prod(shape))
        like = chain.run(np.zeros((1, *shape), np.int32))
        write = self._new()
        if like.dtype == np.uint64:
            words = "Sums to packed bits by one threshold each, found from the floats between the layers"
            return self._signs(chain, signs_of(chain, shape, sums, _sums), read, words)
        if chain.pool is not None:
            return self._plain(chain, read)
        if like.dtype == np.float32:
            if elements * len(sums) > _MOST_TABLE:
                return self._plain(chain, read)
            every = np.broadcast_to(np.array(sums, np.int32)[:, None], (len(sums), elements))
            made = chain.run(np.ascontiguousarray(every).reshape(-1, *shape)).reshape(len(sums), -1)
            self._add(LookUp(names, read, write, np.ascontiguousarray(made.T), sums, like.shape[1:]))
            return write
        found = None if chain.turns else find(levels_of(chain, shape, _sums), sums, elements)
        if found is None or len(found.places) > _MOST_STEPS:
            return self._plain(chain, read)
        self._add(Count(names, read, write, found, like.shape[1:]))
        return write

    def _signs(self, chain: Chain, found: Signs | None, read: int, words: str) -> int:
        """Return the slot of packed signs by their thresholds."""
        if found is None:
            return self._plain(chain, read)
        made = self._new()
        flips, floats = packed_bits(found.falls), not chain.layer
        # One past the last finite number is infinity, which no finite number reaches.
        places: Array = float_at(found.places) if floats else in_int32(found.places)
        self._add(Compare(chain.names, read, made, places, flips, floats, words))
        if found.pool is None or found.turned is None:
            return made
        write = self._new()
        self._add(PoolSigns(chain.names, made, write, found.pool, packed_bits(found.turned)))
        return write

    # Chains that start from the samples

    def _is_samples(self, wire: Wire) -> bool:
        node = self._graph.node(wire.source)
        return isinstance(node, Source) and wire.output == SAMPLES.name

    def _from_samples(self, chain: Chain, as_bytes: bool) -> int | None:
        """Return the slot of bits or levels made straight of samples, or None where floats are needed."""
        spec = self._graph.spec(chain.wire)
        if spec is None:
            return None
        like = chain.run(np.zeros((1, *spec.shape), np.float32))
        if like.dtype == np.uint64:
            words = "Samples to packed bits by one threshold each"
            if self._fed == "float32":
                found = signs_of(chain, spec.shape, FINITE, float_at)
                return None if found is None else self._signs(chain, found, self._given(chain.wire), words)
            return self._byte_signs(chain, spec)
        if like.dtype in (np.int16, np.float32) and self._fed == "uint8" and chain.pool is None:
            return self._byte_levels(chain, spec, like.shape[1:], as_bytes)
        return None

    def _byte_signs(self, chain: Chain, spec: Spec) -> int | None:
        found = signs_of(chain, spec.shape, _BYTES, _floats)
        if found is None or found.pool is not None:
            return None
        write, read = self._new(), self._given(chain.wire)
        words = "Samples of 8 bits to packed bits by one threshold each"
        places = found.places.astype(np.int16)
        self._add(Compare(chain.names, read, write, places, packed_bits(found.falls), words=words))
        return write

    def _byte_levels(self, chain: Chain, spec: Spec, shape: tuple[int, ...], as_bytes: bool) -> int | None:
        every = np.repeat(np.arange(256, dtype=np.float32), spec.elements).reshape(256, *spec.shape)
        levels = chain.run(every).reshape(256, -1)
        if (levels != levels[:, :1]).any():
            return None
        table, read = np.ascontiguousarray(levels[:, 0]), self._given(chain.wire)
        as_bytes = as_bytes and table.dtype == np.int16
        if as_bytes and (table == np.arange(256)).all():
            return read
        if as_bytes and table.min() >= 0 and table.max() <= 255:
            table = table.astype(np.uint8)
        write = self._new()
        self._add(Bytes(chain.names, read, write, table, shape))
        return write


def _with(chain: Chain, step: PerElement | LargestOf, reading: tuple[Callable[[Array], Array], ...]) -> Chain:
    """Return a chain with one more step at its beginning, and what reads its input."""
    functions = (*reading, step.function, *chain.functions)
    if isinstance(step, LargestOf):
        return replace(chain, functions=functions, pool=step, before=len(reading))
    before = chain.before + 1 + len(reading) if chain.pool else 0
    return replace(chain, functions=functions, turns=chain.turns or step.turns, before=before)


def _sums(numbers: I64) -> Array:
    return numbers.astype(np.int32)


def _floats(numbers: I64) -> Array:
    return numbers.astype(np.float32)


def _changes(spec: Spec, port: Port) -> bool:
    """Whether a wire makes other arrays of what it carries."""
    return spec.type == "bits" and port.conversion(spec.type) is not None


def _conversion(spec: Spec, port: Port) -> Callable[[Array], Array]:
    return lambda x: convert(x, spec, port)
