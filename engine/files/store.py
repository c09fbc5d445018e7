"""What run files and model files share: the graph as text, headers of its sources, arrays by node."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .. import hdf5
from ..errors import ModelError, PolybitError
from ..estimate import estimate
from ..graph import Graph
from ..label_sets import MOST_LABELS
from ..ports import Array, Arrays, Column
from ..records import Header
from ..source import Source
from .project import Project, project_text, read_project

Weights = dict[str, Arrays]
_TEXTS = "packs"
_LEAST_PLANES, _MOST_PLANES = 2, 8  # of weights whose width is learned
_SLACK = 4096  # bytes that a counted size may differ from the packed one


def write_text(file: h5py.Group, name: str, text: str) -> None:
    """Store `text` as UTF-8 bytes, uint8 (bytes,)."""
    file.create_dataset(name, data=np.frombuffer(text.encode(), np.uint8))


def read_text(file: h5py.Group, name: str, where: str) -> str:
    """Return what `write_text` stored."""
    data = hdf5.array(file, name, where, ModelError, kinds="u", plain=True)
    try:
        return data.astype(np.uint8).tobytes().decode()
    except UnicodeDecodeError as error:
        raise ModelError(f"{name!r} is not text.", where=where) from error


def read_json(file: h5py.Group, name: str, where: str) -> dict[str, Any]:
    """Return the object in a text of JSON."""
    try:
        found = json.loads(read_text(file, name, where))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{name!r} is not JSON.", where=where) from error
    if not isinstance(found, dict):
        raise ModelError(f"{name!r} is not an object.", where=where)
    return found


def write_project(file: h5py.Group, project: Project) -> None:
    """Store a project: its text, and what its data files were found to hold."""
    write_text(file, "plan", project_text(project))
    headers = {
        name: _plain(placed.node.header)
        for name, placed in project.graph.nodes.items()
        if isinstance(placed.node, Source) and placed.node.header
    }
    write_text(file, "input", json.dumps(headers, ensure_ascii=False))


def read_stored_project(file: h5py.Group, where: str) -> Project:
    """Return the project that `write_project` stored, headers included."""
    try:
        project = read_project(read_text(file, "plan", where), where)
    except PolybitError as error:
        raise ModelError(error.what, where=error.where, why=error.why, do=error.do) from error
    graph = project.graph
    for name, entry in read_json(file, "input", where).items():
        if name not in graph.nodes or not isinstance(graph.node(name), Source):
            raise ModelError(f"'input' speaks of {name!r}, which is no data source.", where=where)
        graph = graph.change(name, header=_header(entry, where))
    return replace(project, graph=graph)


def write_texts(file: h5py.Group, graph: Graph) -> None:
    """Store the texts outside the project that answers depend on, by node and name, if there are any."""
    texts = {name: dict(placed.node.texts()) for name, placed in graph.nodes.items()}
    texts = {name: found for name, found in texts.items() if found}
    if texts:
        write_text(file, _TEXTS, json.dumps(texts, ensure_ascii=False))


def read_texts(file: h5py.Group, graph: Graph, where: str) -> Graph:
    """Return `graph` with its nodes carrying what `write_texts` stored; as it is where there is nothing."""
    if _TEXTS not in file:
        return graph
    for name, texts in read_json(file, _TEXTS, where).items():
        if name not in graph.nodes or "carried" not in graph.node(name).about():
            raise ModelError(f"{_TEXTS!r} speaks of {name!r}, which takes no packs.", where=where)
        if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
            raise ModelError(f"{_TEXTS!r} does not hold the packs of {name!r}.", where=where)
        graph = graph.change(name, carried=tuple(texts.items()))
    return graph


def write_arrays(file: h5py.Group, name: str, weights: Weights) -> None:
    """Store arrays by node and name, contiguous and little-endian."""
    for node, arrays in weights.items():
        for key, value in arrays.items():
            little = value.astype(value.dtype.newbyteorder("<"), copy=False)
            file.create_dataset(f"{name}/{node}/{key}", data=little)


def read_arrays(
    file: h5py.Group, name: str, where: str, expected: Weights, graph: Graph | None = None
) -> Weights:
    """Return the arrays that `write_arrays` stored, each of the dtype and shape that is expected.

    Args:
        file: what they lie in.
        name: the group.
        where: name of the file, for errors.
        expected: arrays by node and name.
        graph: whose nodes say which packed arrays may be shorter; without one none may.

    Raises:
        ModelError: an array is missing, too many, or not of its shape or dtype.
    """
    if not any(expected.values()):
        return {node: {} for node in expected}
    top = hdf5.member(file, name, where, ModelError)
    out: Weights = {}
    for node, arrays in expected.items():
        out[node] = {}
        if not arrays:
            continue
        group = hdf5.member(top, node, where, ModelError)
        for key, like in arrays.items():
            found = hdf5.array(group, key, where, ModelError, plain=True)
            shorter = graph is not None and found.ndim and graph.node(node).may_be_shorter(key)
            wanted = like[: max(_LEAST_PLANES, len(found))] if shorter else like
            out[node][key] = _like(found, wanted, f"{node}/{key}", where)
    return out


def check_format(file: h5py.File, path: Path, kind: str, version: int) -> None:
    """Refuse a file that is not a `kind`, or newer than `version`."""
    found = hdf5.text_attribute(file, "polybit_format")
    if found != kind:
        got = f" (it is a {found})" if found else ""
        raise ModelError(f"This is not a Polybit {kind} file{got}.", where=path.name)
    number = hdf5.whole_attribute(file, "version")
    if number is None or number < 1:
        raise ModelError("Its version is not a number.", where=path.name)
    if number > version:
        words = f"This file has format {number}; this program reads up to {version}."
        raise ModelError(words, where=path.name, do="Update Polybit to open it.")


def started(graph: Graph) -> Weights:
    """Return fresh weights for every node: what a stored file's arrays must look like."""
    rng = np.random.default_rng(0)
    return {name: graph.node(name).start(rng, *graph.input_specs(name)) for name in graph.order}


def packed(graph: Graph, weights: Weights) -> Weights:
    """Return what every node ships."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # an answer is judged by its scores
        return {name: graph.node(name).pack(weights[name], *graph.input_specs(name)) for name in graph.order}


def check_graph(graph: Graph, file: h5py.File, where: str) -> None:
    """Refuse a stored graph that could not be run, or claims more weights than the file can hold."""
    wrong = [p for p in graph.problems() if p.level == "error"]
    if wrong:
        raise ModelError(f"Its graph does not hold together: {wrong[0]}", where=where)
    claimed = estimate(graph).total.weight_bytes
    shorter = any(graph.node(name).may_be_shorter("weight") for name in graph.order)
    if claimed > file.id.get_filesize() * (_MOST_PLANES // _LEAST_PLANES if shorter else 1) + _SLACK:
        raise ModelError(f"Its plan claims {claimed:,} bytes of weights: too many.", where=where)


def _plain(header: Header) -> dict[str, Any]:
    """Return a header for JSON; of one class a record, it is what it was before there could be several."""
    return {k: v for k, v in asdict(header).items() if k != "several" or v}


def _like(found: Array, like: Array, name: str, where: str) -> Array:
    if found.shape != like.shape or found.dtype.newbyteorder("=") != like.dtype:
        got = f"{found.dtype} {found.shape}"
        raise ModelError(f"{name!r} must be {like.dtype} {like.shape}; got {got}.", where=where)
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise ModelError(f"{name!r} holds values that are not numbers.", where=where)
    return np.ascontiguousarray(found, like.dtype)


def _header(entry: Any, where: str) -> Header:
    try:
        shape = tuple(int(v) for v in entry["shape"])
        if not shape or min(shape) < 1 or np.prod(shape, dtype=object) > 2**28:
            raise ValueError("shape")
        columns = tuple(Column(str(c["name"]), tuple(map(str, c["categories"]))) for c in entry["columns"])
        classes = tuple(map(str, entry["classes"]))
        several = entry.get("several", False)
        if not isinstance(several, bool) or (several and len(classes) > MOST_LABELS):
            raise ValueError("several")
        return Header(shape, classes, columns, int(entry["records"]), str(entry["encoding"]), several)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ModelError("'input' does not say what records look like.", where=where) from error
