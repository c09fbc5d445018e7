"""From a graph to its records: read once, parted as its split says; or read from another file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..catalog import NODES
from ..errors import DataError, GraphError, TrainError
from ..flow.split import TEST, TRAIN, VALIDATION, Split, assign
from ..graph import Graph, Placed
from ..node import changed
from ..records import Records
from ..source import Source


@dataclass(frozen=True)
class Splits:
    """The records of a graph in three parts.

    Attributes:
        train: what weights are found on; every record has a class, unless none has.
        validation: what every epoch is judged on; may be empty.
        test: what the finished model is judged on; may be empty.
        notes: sentences about what was odd but harmless, for the user.
    """

    train: Records
    validation: Records
    test: Records
    notes: tuple[str, ...] = ()


def check_trainable(graph: Graph, folder: Path) -> None:
    """Refuse a graph with problems.

    Raises:
        TrainError: names the first problem.
        DataError: a data file could not be read; says why.
    """
    wrong = [p for p in graph.problems() if p.level == "error"]
    if not wrong:
        return
    for name, placed in graph.nodes.items():
        if isinstance(placed.node, Source) and placed.node.header is None:
            try:
                placed.node.probe(folder)
            except DataError as error:
                raise error.at(name) from error
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    raise TrainError(f"The graph cannot be trained yet. {wrong[0]}{more}")


def open_data(graph: Graph, folder: Path) -> Splits:
    """Read the data of `graph`, whose file paths are relative to `folder`, and part it.

    Raises:
        GraphError: there is not one data source, or more than one split.
        DataError: the file cannot be read, or does not hold what the graph was built on.
    """
    records = read_all(graph, folder)
    split, notes = _split(graph)
    labelled = records.labels >= 0
    if labelled.any() and not labelled.all():
        notes = (*notes, f"{int((~labelled).sum())} records without a class are left out.")
        records = records.take(np.flatnonzero(labelled))
    parts = assign(split, records.labels)
    train, validation, test = (records.take(np.flatnonzero(parts == p)) for p in (TRAIN, VALIDATION, TEST))
    return Splits(train, validation, test, (*records.notes, *notes))


def read_all(graph: Graph, folder: Path) -> Records:
    """Read all records of `graph` in file order, encoded by the source's header where it has one.

    Raises:
        GraphError: there is not one data source.
        DataError: the file cannot be read, or does not hold what the graph was built on.
    """
    return _source(graph)[1].read(folder)


def override(graph: Graph, path: Path) -> Graph:
    """Return `graph` reading another file, with the shape, classes and columns it was built on.

    The file may be of another kind than the first; its suffix says which. Other fields of the source keep
    their values where the kind is the same, and their defaults where it is not.

    Raises:
        GraphError: there is not one data source.
        DataError: no source reads files of that suffix.
    """
    name, source = _source(graph)
    kind = _kind_of(path, type(source))
    where = str(path.resolve())
    if kind is type(source):
        others = [k for k, about in source.about().items() if about.form == "path"]
        after = changed(source, {**dict.fromkeys(others, ""), source.path_field: where})
    else:
        after = changed(kind(header=source.header), {kind.path_field: where})
    placed = graph.placed(name)
    return replace(graph, nodes={**graph.nodes, name: Placed(after, placed.x, placed.y)})


def _source(graph: Graph) -> tuple[str, Source]:
    """Return name and node of the one source that feeds the answer (or the only one, before it is wired)."""
    ends = graph.of_kind("flow.output")
    feeding = set().union(*(graph.upstream(end) for end in ends))
    found = [(name, node) for name in graph.order if isinstance(node := graph.node(name), Source)]
    used = [(name, node) for name, node in found if name in feeding] or found
    if len(used) != 1:
        words = f"A graph needs one data source; this one has {len(used)}."
        raise GraphError(words, do="Add one and wire it." if not used else "Leave one of them.")
    return used[0]


def _split(graph: Graph) -> tuple[Split, tuple[str, ...]]:
    found = [node for name in graph.order if isinstance(node := graph.node(name), Split)]
    if len(found) > 1:
        raise GraphError(f"A graph takes one Split; this one has {len(found)}.", do="Remove the others.")
    if found:
        return found[0], ()
    split = Split()
    shares = f"{split.train:g}, {split.validation:g} and {split.test:g} %"
    return split, (
        f"The graph has no Split: {shares} train, validate and test, drawn with seed {split.seed}.",
    )


def _kind_of(path: Path, own: type[Source]) -> type[Source]:
    kinds = [own, *(kind for kind in NODES.values() if issubclass(kind, Source) and kind is not own)]
    for kind in kinds:
        if path.name.lower().endswith(suffixes(kind)):
            return kind
    there = ", ".join(sorted({suffix for kind in kinds for suffix in suffixes(kind)}))
    raise DataError(
        f"No data source reads files like {path.name!r}.", do=f"Give a file that ends in {there}."
    )


def suffixes(kind: type[Source]) -> tuple[str, ...]:
    """Return the file endings that a kind of source reads."""
    return kind.about()[kind.path_field].suffixes
