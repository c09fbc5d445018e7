"""The project file, `NAME.polybit`: JSON, format 1.

    {"format": "polybit-project", "version": 1, "name": ..., "about": ...,
     "nodes": {"NAME": {"kind": "bnn.dense", "at": [x, y], "set": {"units": 10, ...}}, ...},
     "wires": ["SOURCE.OUTPUT -> TARGET.INPUT", ...],
     "training": {...}, "view": {...}}

Kinds are our own keys, never import paths. Texts of rules are lists of lines, so that a change of one rule
is one line of a diff. What a data file holds is not kept here: it is found out when the project is opened.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..catalog import NODES
from ..errors import DataError, PolybitError, ProjectError
from ..graph import Graph
from ..node import Node
from ..settings import Training
from ..source import Source
from .atomic import write_text

FORMAT, VERSION = "polybit-project", 1
SUFFIX = ".polybit"
_LARGEST = 16 * 2**20
_DEEPEST = 40


@dataclass(frozen=True)
class Project:
    """What a person opens and saves.

    Attributes:
        graph: the drawn graph; its data sources carry the header of their file once it was found.
        training: how it is trained.
        name: its title; the file's name may differ.
        about: a few words about it.
        view: what the window wants to find again (zoom, splitters); the engine does not look at it.
        path: its file, or None where it has not been saved.
        notes: what was odd about its data files, in sentences.
    """

    graph: Graph = field(default_factory=Graph)
    training: Training = field(default_factory=Training)
    name: str = "Untitled"
    about: str = ""
    view: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Return the folder that data paths are relative to."""
        return self.path.parent if self.path else Path.cwd()


def new_project() -> Project:
    """Return a project with nothing in it."""
    return Project()


def open_project(path: str | Path, *, probe: bool = True) -> Project:
    """Read a project and look into its data files.

    Args:
        path: the project's file.
        probe: whether to read the headers of its data files; a file that cannot be read becomes a note.

    Raises:
        ProjectError: the file is missing, broken, not ours, or of a newer program; names line or key.
    """
    path = Path(path)
    project = replace(read_project(_text(path), path.name), path=path)
    return probed(project) if probe else project


def read_project(text: str, where: str) -> Project:
    """Return the project that `text` holds, its data files not looked at; `where` names it in errors."""
    document = _document(text, where)
    try:
        return _project(document)
    except ProjectError as error:
        raise error.at(where) from error


def save_project(project: Project, path: str | Path) -> Project:
    """Write `project` to `path`, whole or not at all, and return it with that path."""
    path = Path(path)
    write_text(path, project_text(project))
    return replace(project, path=path)


def project_text(project: Project) -> str:
    """Return the text of the project's file."""
    nodes = {
        name: {"kind": placed.node.kind, "at": [placed.x, placed.y], "set": _set(placed.node)}
        for name, placed in project.graph.nodes.items()
    }
    document = {
        "format": FORMAT,
        "version": VERSION,
        "name": project.name,
        "about": project.about,
        "nodes": nodes,
        "wires": [str(wire) for wire in project.graph.wires],
        "training": project.training.values(),
        "view": dict(project.view),
    }
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def probed(project: Project) -> Project:
    """Return `project` with every data source's header found, and a note for each that could not be."""
    graph, notes = project.graph, []
    for name, placed in project.graph.nodes.items():
        if not isinstance(placed.node, Source):
            continue
        try:
            graph = graph.change(name, header=placed.node.probe(project.folder).header)
        except DataError as error:
            graph = graph.change(name, header=None)
            notes.append(str(error.at(name)))
    return replace(project, graph=graph, notes=tuple(notes))


def read_nodes(document: Any, where: str = "nodes") -> Graph:
    """Return the graph without wires that the `nodes` object of a file holds."""
    graph = Graph()
    for name, entry in _typed(document, dict, where).items():
        place = f"{where}.{name}"
        kind = _typed(_key(entry, "kind", place), str, f"{place}.kind")
        if kind not in NODES:
            raise ProjectError(
                f"There is no kind of node {kind!r}.",
                where=f"{place}.kind",
                do="It may come from a newer Polybit: update, or remove the node from the file.",
            )
        at = _typed(entry.get("at", [0, 0]), list, f"{place}.at")
        if len(at) != 2 or not all(isinstance(v, int | float) and abs(v) < 1e7 for v in at):
            raise ProjectError("must be two numbers, x and y.", where=f"{place}.at")
        values = _typed(entry.get("set", {}), dict, f"{place}.set")
        with _placed(f"{place}.set"):
            node = _node(NODES[kind], values)
        with _placed(place):
            graph = graph.add(name, node, *at)
    return graph


def read_wires(graph: Graph, wires: Any) -> Graph:
    """Return `graph` with the wires of a file drawn."""
    for i, text in enumerate(_typed(wires, list, "wires")):
        place = f"wires[{i}]"
        ends = [end.rpartition(".") for end in _typed(text, str, place).split(" -> ")]
        if len(ends) != 2 or not all(node and port for node, _, port in ends):
            raise ProjectError(f"{text!r} must read 'NODE.OUTPUT -> NODE.INPUT'.", where=place)
        (source, _, output), (target, _, into) = ends
        with _placed(place):
            graph = graph.wire(source, output, target, into)
    return graph


# Inside


def _project(document: dict[str, Any]) -> Project:
    graph = read_wires(read_nodes(_key(document, "nodes", "")), document.get("wires", []))
    settings = _typed(document.get("training", {}), dict, "training")
    with _placed("training"):
        training = Training.of(settings)
    return Project(
        graph=graph,
        training=training,
        name=_typed(document.get("name", "Untitled"), str, "name"),
        about=_typed(document.get("about", ""), str, "about"),
        view=_typed(document.get("view", {}), dict, "view"),
    )


def _set(node: Node) -> dict[str, Any]:
    about = node.about()
    return {k: v.split("\n") if about[k].form == "rules" else v for k, v in node.values().items()}


def _node(cls: type[Node], values: dict[str, Any]) -> Node:
    about = cls.about()
    lines = {
        k: "\n".join(map(str, v)) if k in about and about[k].form == "rules" and isinstance(v, list) else v
        for k, v in values.items()
    }
    return cls.of(lines)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise ProjectError(f"is larger than {_LARGEST >> 20} MiB: not a project.", where=path.name)
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        words = f"is not a text file in UTF-8 (byte {error.start})."
        raise ProjectError(words, where=path.name, do="Open a .polybit file.") from error
    except OSError as error:
        raise ProjectError(f"Cannot read it: {error.strerror}.", where=str(path)) from error


def _document(text: str, where: str) -> dict[str, Any]:
    if _depth(text) > _DEEPEST:
        raise ProjectError(f"is nested more than {_DEEPEST} deep: not a project.", where=where)
    try:
        document = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        place = f"{where}, line {error.lineno}, column {error.colno}"
        raise ProjectError(
            f"This is not JSON: {error.msg}.", where=place, do="Mend it or take a backup."
        ) from error
    except (ValueError, RecursionError) as error:
        raise ProjectError(f"This is not JSON: {error}.", where=where) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ProjectError(
            "This is not a Polybit project.", where=where, do=f'Its "format" must be "{FORMAT}".'
        )
    version = document.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ProjectError(f"must be a whole number from 1; got {version!r}.", where=f"{where}, version")
    if version > VERSION:
        words = f"This project has format {version}; this program reads up to {VERSION}."
        raise ProjectError(words, where=where, do="Update Polybit to open it.")
    return document


def _depth(text: str) -> int:
    depth = deepest = 0
    quoted = False
    escaped = False
    for c in text:
        if quoted:
            quoted = escaped or c != '"'
            escaped = c == "\\" and not escaped
        elif c == '"':
            quoted = True
        elif c in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif c in "]}":
            depth -= 1
    return deepest


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [k for k, _ in pairs]
    twice = next((k for k in keys if keys.count(k) > 1), None) if len(set(keys)) < len(keys) else None
    if twice is not None:
        raise ValueError(f"the key {twice!r} stands twice")
    return dict(pairs)


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is not a number")


def _key(entry: Any, key: str, where: str) -> Any:
    if key not in _typed(entry, dict, where or "the project"):
        raise ProjectError(f'The key "{key}" is missing.', where=where)
    return entry[key]


def _typed(value: Any, cls: type[Any], where: str) -> Any:
    if not isinstance(value, cls):
        names: dict[type[Any], str] = {dict: "an object {...}", list: "a list [...]", str: "a text"}
        raise ProjectError(f"must be {names[cls]}; got {json.dumps(value)[:60]}.", where=where)
    return value


@contextmanager
def _placed(where: str) -> Iterator[None]:
    """Turn what a block finds wrong into an error of the project file that names the key."""
    try:
        yield
    except ProjectError:
        raise
    except PolybitError as error:
        place = f"{where}.{error.where}" if error.where else where
        raise ProjectError(error.what, where=place, why=error.why, do=error.do) from error
