"""A graph and its packed arrays, ready to predict. The trainer scores with this same class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..allowance import together
from ..convert import convert
from ..errors import DataError, GraphError
from ..graph import Graph, Wire
from ..guard import Guarded
from ..kernels.fused import first_largest
from ..label_sets import said
from ..node import Predictor
from ..ports import F32, I64, U8, Array, Arrays, Spec
from ..records import Records, as_floats, no_facts
from ..source import Source
from .answer import Answer
from .compile import Compiled, Compiler, Fed
from .runner import Kept, Runner, run_all
from .steps import NotFiniteError, check_scores

_FLAGS = {"broken", "left"}  # outputs of a node that guards by rules
_SHARED = 128  # records that threads share; fewer are one thread's
CHUNK = 256  # records run at a time as plain arrays; results do not depend on it


@dataclass(frozen=True)
class Program:
    """Runs `graph` with `packed`, arrays by node name and array name."""

    graph: Graph
    packed: dict[str, Arrays]

    @property
    def source(self) -> Source:
        """Return the data source node, whose header says what records must look like."""
        node = self.graph.node(self._source_name)
        if not isinstance(node, Source):
            raise GraphError("The graph has no data source.", do="Add one and wire it.")
        return node

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the class names."""
        return self.source.header.classes if self.source.header else ()

    @cached_property
    def several(self) -> bool:
        """Return whether each class is a label of its own, of which a record may have several."""
        return bool(self.source.header and self.source.header.several)

    def predict(self, samples: F32 | U8, facts: Array | None = None, *, threads: int = 1) -> I64:
        """Return the class indices, int64 (n,), of `samples`, (n, *shape); -1: no class is allowed.

        Several labels a record are one number, which `label_sets.held` parts.

        Args:
            samples: the records, in the units of the training file: float32, or uint8, which is read as the
                same numbers without being made floats where the first layer lets it.
            facts: float64 (n, columns) as the model's header names them; gaps where left out.
            threads: how many threads share the records. The answer does not depend on it.

        Raises:
            DataError: the shape is not the one the model was trained on.
        """
        if (label := self._kept.label) is not None and (labels := label(samples)) is not None:
            return labels
        if self._guarded:
            return self.answer(self.records(samples, facts), threads=threads).labels
        samples = self._checked(samples)
        compiled = self._scoring.get(samples.dtype.char)
        if compiled is None:
            compiled = self._scoring[samples.dtype.char] = self.compiled(self.ends, _fed(samples))
        n = len(samples)
        if 0 < n <= compiled.chunk and (threads == 1 or n < _SHARED):
            scores = self._few(compiled, samples)
        else:
            (scores,) = self._many(compiled, self._as_records(samples, facts), list(self.ends), threads)
        if not compiled.finite and not np.isfinite(scores).all():
            check_scores(scores, scores)
        if self.several:
            return said(scores, several=True)
        if n == 1 and self._shape is not None:
            self._kept.meet(compiled, self._shape)
        labels = np.empty(n, np.int64)
        first_largest(scores, labels)
        return labels

    def records(self, samples: Array, facts: Array | None = None) -> Records:
        """Return arrays as records of this program, checked against its header; uint8 samples stay so."""
        return self._as_records(self._checked(samples), facts)

    def runner(self, batch: int = 1, dtype: Fed = "float32") -> Runner:
        """Return the compiled program with buffers for up to `batch` records: the call with least overhead.

        It gives the scores before any rules, and belongs to one thread.

        Args:
            batch: the most records of one call.
            dtype: of the samples it will be given: float32 or uint8.
        """
        return Runner(self.compiled((self.ends[-1],), dtype), batch, several=self.several)

    def answer(self, records: Records, *, threads: int = 1, guarded: bool = False) -> Answer:
        """Return scores, labels and broken rules of `records`.

        Args:
            records: what to answer.
            threads: how many threads share them; one alone where there are rules. The answer is the same.
            guarded: whether to keep what arrives at the guard with the rules, and what it gives.

        Raises:
            DataError: there are no records, or the scores of one are not numbers.
        """
        wanted = list(self.ends)
        if self.guard:
            there = {port.name for port in self.graph.node(self.guard).outputs}
            wanted += [Wire(self.guard, p, "", "") for p in ("broken", "left", "status") if p in there]
        told = len(wanted)
        if guarded and self.guard:
            wanted += self._around_guard
        threads = 1 if self._guarded else threads
        early = self._early(wanted)
        compiled = self.compiled(tuple(early), _fed(records.samples))
        with together():
            arrays = self._many(compiled, records, early, threads)
            got = self._late(wanted, early, arrays)
        answer = self._answer(got[:told])
        return replace(answer, guarded=self._at_guard(got[told:])) if len(got) > told else answer

    def compiled(self, wanted: tuple[Wire, ...], fed: Fed) -> Compiled:
        """Return the compiled steps to the arrays of `wanted`, from samples of a kind."""
        key = (wanted, fed)
        if key not in self._compiled:
            compiler = Compiler(self.graph, self._predictor, self._order(""), fed)
            self._compiled[key] = compiler.compiled(list(wanted))
        return self._compiled[key]

    def runs(self, records: Records, *, only: str = "") -> Iterator[dict[tuple[str, str], Array]]:
        """Yield the arrays of every output port, (node, port) -> array, for chunk after chunk of `records`.

        Args:
            records: what to run.
            only: a node's name; nodes that do not feed it are left out, and so are its own outputs.
        """
        names = self._order(only)
        for at in range(0, len(records), CHUNK):
            part = records.take(slice(at, at + CHUNK))
            values: dict[tuple[str, str], Array] = {}
            for name in names:
                self._run_node(name, part, values)
            yield values

    def inputs_of(self, name: str, values: dict[tuple[str, str], Array]) -> list[Array | None]:
        """Return the arrays that arrive at a node, converted as its wires say."""
        out: list[Array | None] = []
        for wire, port in zip(self.graph.into(name), self.graph.node(name).inputs, strict=True):
            if wire is None:
                out.append(None)
                continue
            spec = self.graph.spec(wire)
            array = values[wire.source, wire.output]
            out.append(convert(array, spec, port) if spec else array)
        return out

    # Inside

    def _run_node(self, name: str, part: Records, values: dict[tuple[str, str], Array]) -> None:
        node = self.graph.node(name)
        if isinstance(node, Source):
            given: tuple[Array, ...] = (as_floats(part.samples), part.labels, part.facts)
        else:
            with np.errstate(over="ignore", invalid="ignore"):  # an answer is judged by its scores
                given = self._predictor(name)(*self.inputs_of(name, values))
        for port, array in zip(node.outputs, given, strict=True):
            values[name, port.name] = array

    def _checked(self, samples: Array) -> Array:
        kept = samples if samples.dtype == np.uint8 else np.asarray(samples, np.float32)
        kept = kept if kept.flags.c_contiguous else np.ascontiguousarray(kept)
        if self._shape is not None and kept.shape[1:] != self._shape:
            raise DataError(f"Records must have the shape {self._shape}; got {kept.shape[1:]}.")
        return kept

    def _as_records(self, samples: Array, facts: Array | None) -> Records:
        header = self.source.header
        if facts is None:
            facts = np.full((len(samples), len(header.columns)), np.nan) if header else no_facts(len(samples))
        return Records(samples, np.full(len(samples), -1, np.int64), np.asarray(facts, np.float64))

    @cached_property
    def _around_guard(self) -> list[Wire]:
        """Return the wires into the guard, and one from each of its outputs."""
        into = [wire for wire in self.graph.into(self.guard) if wire is not None]
        return into + [Wire(self.guard, p.name, "", "") for p in self.graph.node(self.guard).outputs]

    def _at_guard(self, arrays: list[Any]) -> Guarded:
        values = {(w.source, w.output): a for w, a in zip(self._around_guard, arrays, strict=True)}
        given = {port: array for (node, port), array in values.items() if node == self.guard}
        return Guarded(tuple(self.inputs_of(self.guard, values)), given)

    def _few(self, compiled: Compiled, samples: Array) -> F32:
        """Return the scores of no more than a chunk of records, by buffers that this thread keeps."""
        try:
            return self._kept.runner(compiled, len(samples))(samples)
        except NotFiniteError:
            return self._many(compiled, self._as_records(samples, None), list(self.ends), 1)[0]

    def _many(self, compiled: Compiled, records: Records, wanted: list[Wire], threads: int) -> list[Array]:
        def plainly(part: Records) -> list[Array]:
            kept = list(self.runs(part))
            return [np.concatenate([values[w.source, w.output] for values in kept]) for w in wanted]

        if not len(records):
            raise DataError("There are no records to answer.")
        return run_all(compiled, records, plainly, threads)

    @cached_property
    def _waiting(self) -> list[str]:
        """Return the nodes that answer records together and those behind them, in running order."""
        found: list[str] = []
        for name in self._order(""):
            behind = any(w is not None and w.source in found for w in self.graph.into(name))
            if behind or self.graph.node(name).together:
                found.append(name)
        return found

    def _early(self, wanted: list[Wire]) -> list[Wire]:
        """Return the wires that are run in chunks: those wanted, or those into nodes that wait for all."""
        into = [wire for name in self._waiting for wire in self.graph.into(name) if wire is not None]
        kept = {(w.source, w.output): w for w in (*wanted, *into) if w.source not in self._waiting}
        return list(kept.values())

    def _late(self, wanted: list[Wire], early: list[Wire], arrays: list[Any]) -> list[Any]:
        """Return the arrays wanted, of all records, from those of `early`."""
        values: dict[tuple[str, str], Array] = {
            (w.source, w.output): array for w, array in zip(early, arrays, strict=True)
        }
        for name in self._waiting:
            given = self._predictor(name)(*self.inputs_of(name, values))
            for port, array in zip(self.graph.node(name).outputs, given, strict=True):
                values[name, port.name] = array
        return [values[w.source, w.output] for w in wanted]

    def _order(self, only: str) -> list[str]:
        wanted = self.graph.upstream(only) - {only} if only else self.graph.upstream(self._output_name)
        return [name for name in self.graph.order if name in wanted and name != self._output_name]

    def _predictor(self, name: str) -> Predictor:
        if name not in self._made:
            specs: tuple[Spec | None, ...] = self.graph.input_specs(name)
            self._made[name] = self.graph.node(name).predictor(self.packed.get(name, {}), *specs)
        return self._made[name]

    @cached_property
    def _made(self) -> dict[str, Predictor]:
        return {}

    @cached_property
    def _compiled(self) -> dict[tuple[tuple[Wire, ...], Fed], Compiled]:
        return {}

    @cached_property
    def _scoring(self) -> dict[str, Compiled]:
        """Return the compiled steps to the scores, by the character of the samples' dtype."""
        return {}

    @cached_property
    def _kept(self) -> Kept:
        """Return what the thread that asks keeps."""
        return Kept()

    @cached_property
    def _shape(self) -> tuple[int, ...] | None:
        header = self.source.header
        return header.shape if header else None

    @cached_property
    def ends(self) -> tuple[Wire, ...]:
        """Return the wire of the scores, and that of the scores before any guard where there is one."""
        end = self.graph.into(self._output_name)[0]
        if end is None:
            raise GraphError("No scores are wired to the output.", do="Wire them.")
        before: Wire | None = end
        while before is not None and (corrects := self.graph.node(before.source).corrects):
            names = [port.name for port in self.graph.node(before.source).inputs]
            before = self.graph.into(before.source)[names.index(corrects)]
        return (end, before) if before is not None and before != end else (end,)

    @cached_property
    def _output_name(self) -> str:
        return _one(self.graph, "flow.output", "Classifier output")

    @cached_property
    def _source_name(self) -> str:
        upstream = self.graph.upstream(self._output_name)
        found = [n for n in self.graph.order if n in upstream and isinstance(self.graph.node(n), Source)]
        if len(found) != 1:
            raise GraphError(f"A graph needs one data source; this one has {len(found)}.")
        return found[0]

    @cached_property
    def guard(self) -> str:
        """Return the node that says which rules were broken and still are, or ""."""
        found = guards_of(self.graph, self._order(""))
        # Beside one that corrects the answer, a guard of what the answer is computed from is not told.
        found = [n for n in found if self.graph.node(n).corrects] or found
        if len(found) > 1:
            raise GraphError(f"A graph takes one guard with rules; this one has {', '.join(found)}.")
        return found[0] if found else ""

    @property
    def _guarded(self) -> bool:
        return len(self.ends) > 1

    def _answer(self, arrays: list[Any]) -> Answer:
        scores = arrays[0].astype(np.float32)
        raw = arrays[1].astype(np.float32) if self._guarded else scores
        check_scores(scores, raw)
        dead = np.isneginf(scores).all(1)
        labels = np.where(dead, -1, said(scores, several=self.several))
        n = len(scores)
        told = arrays[len(self.ends) :]
        broken, left = (a.astype(bool) for a in told[:2] or [np.zeros((n, 0))] * 2)
        rules: tuple[str, ...] = ()
        words = {"status": np.full(n, ""), "engine": np.full(n, "")}
        if self.guard:
            names = [port.name for port in self.graph.node(self.guard).outputs]
            specs = dict(zip(names, self.graph.output_specs(self.guard), strict=True))
            rules = tuple(c.name for c in specs["broken"].columns)
            for i, column in enumerate(specs["status"].columns if "status" in specs else ()):
                if column.categories:
                    words[column.name] = np.array(column.categories)[told[2][:, i].astype(np.int64)]
        return Answer(
            classes=self.classes,
            scores=scores,
            raw_scores=raw,
            labels=labels,
            raw_labels=said(raw, several=self.several),
            rules=rules,
            broken=broken,
            left=left,
            status=words["status"],
            engine=words["engine"],
            several=self.several,
        )


def guards_of(graph: Graph, names: Iterable[str]) -> list[str]:
    """Return which nodes guard by rules: they say which were broken, and which still are."""
    return [n for n in names if {port.name for port in graph.node(n).outputs} >= _FLAGS]


def _fed(samples: Array) -> Fed:
    return "uint8" if samples.dtype == np.uint8 else "float32"


def _one(graph: Graph, kind: str, title: str) -> str:
    found = graph.of_kind(kind)
    if len(found) != 1:
        raise GraphError(f"A graph needs one {title}; this one has {len(found)}.")
    return found[0]
