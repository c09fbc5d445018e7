"""What a node shows, as a value: items repaint only when their face is another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from app.theme.figures import size
from engine.estimate import Estimate
from engine.graph import Graph, Problem
from engine.node import Family, Node
from engine.ports import PortType
from engine.precision import PRECISIONS

Tone = Literal["plain", "ok", "warning", "error"]


@dataclass(frozen=True)
class PortFace:
    """One port: its name, the type it is drawn as, and whether a wire ends there."""

    name: str
    type: PortType
    wired: bool = False


@dataclass(frozen=True)
class Face:
    """Everything that is painted on one node.

    Attributes:
        name: the node's name, its title on the canvas.
        kind: title of its kind.
        family: paradigm, which gives the colour.
        icon: a Phosphor name.
        chip: its bit width in short, or "".
        inputs, outputs: the ports, top to bottom.
        rows: label and value.
        footer: its state in words, or what is wrong with it.
        tone: what the footer's icon and the border say.
        remedy: what to do about it, where the footer has no room for what is wrong.
        problems: everything wrong with it, in sentences.
    """

    name: str
    kind: str
    family: Family
    icon: str
    chip: str
    inputs: tuple[PortFace, ...]
    outputs: tuple[PortFace, ...]
    rows: tuple[tuple[str, str], ...]
    footer: str
    tone: Tone
    remedy: str = ""
    problems: tuple[str, ...] = ()


def plain_face(node: Node, name: str = "") -> Face:
    """Return the face of a node that stands alone, as a ghost or in a measurement."""
    return Face(
        name=name or node.title,
        kind=node.title,
        family=node.family,
        icon=node.icon,
        chip=chip(node),
        inputs=tuple(PortFace(p.name, p.accepts[0]) for p in node.inputs),
        outputs=tuple(PortFace(p.name, p.accepts[0]) for p in node.outputs),
        rows=node.rows()[:2],
        footer="",
        tone="plain",
    )


def faces(graph: Graph, estimate: Estimate) -> Mapping[str, Face]:
    """Return the face of every node of a graph."""
    wrong: dict[str, list[Problem]] = {}
    for problem in graph.problems():
        wrong.setdefault(problem.node, []).append(problem)
    into = {(w.target, w.input): w for w in graph.wires}
    out_of = {(w.source, w.output) for w in graph.wires}
    made = {}
    for name, placed in graph.nodes.items():
        node = placed.node
        footer, tone = _footer(graph, estimate, name, wrong.get(name, []))
        made[name] = Face(
            name=name,
            kind=node.title,
            family=node.family,
            icon=node.icon,
            chip=chip(node),
            inputs=tuple(
                PortFace(p.name, _arrives(graph, into, name, p.name, p.accepts), (name, p.name) in into)
                for p in node.inputs
            ),
            outputs=tuple(PortFace(p.name, p.accepts[0], (name, p.name) in out_of) for p in node.outputs),
            rows=node.rows()[:2],
            footer=footer,
            tone=tone,
            remedy=_worst(wrong[name]).do if name in wrong else "",
            problems=tuple(f"{p.what} {p.do}".strip() for p in wrong.get(name, [])),
        )
    return made


def chip(node: Node) -> str:
    """Return the main bit width of a node in short, or "" where it has none."""
    fields = node.bit_fields()
    return PRECISIONS[getattr(node, fields[0])].chip if fields else ""


def _arrives(
    graph: Graph,
    into: Mapping[tuple[str, str], tuple[str, str, str, str]],
    name: str,
    port: str,
    accepts: tuple[PortType, ...],
) -> PortType:
    """Return the type an input is drawn as: that of its wire where it takes it as it is, else its first."""
    wire = into.get((name, port))
    given = graph.node(wire[0]).port(wire[1], output=True) if wire else None
    return given.accepts[0] if given and given.accepts[0] in accepts else accepts[0]


def _footer(graph: Graph, estimate: Estimate, name: str, wrong: list[Problem]) -> tuple[str, Tone]:
    if wrong:
        worst = _worst(wrong)
        return worst.what, worst.level
    specs = graph.output_specs(name)
    figures = estimate.by_node.get(name)
    parts = []
    if figures and figures.weight_bytes:
        parts.append(size(figures.weight_bytes))
    if specs:
        shape = " × ".join(f"{s:,}".replace(",", "\u202f") for s in specs[0].shape)
        parts.append(f"{shape} {specs[0].type}".strip())
    if not specs and graph.nodes[name].node.outputs:
        return "Waits for its inputs", "plain"
    return " · ".join(parts) or "Ready", "ok"


def _worst(wrong: list[Problem]) -> Problem:
    return min(wrong, key=lambda p: p.level)  # "error" comes before "warning"
