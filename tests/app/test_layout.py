"""Arranging graphs: nothing overlaps, wires run to the right within a band, the result is stable."""

from __future__ import annotations

from random import Random

import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QApplication

from app.canvas.face import plain_face
from app.canvas.layout import arrange
from app.canvas.routing import Router
from app.canvas.shape import shape_of
from engine.catalog import NODES
from engine.graph import Graph, Wire


def _random_graph(seed: int, size: int) -> Graph:
    chance, graph = Random(seed), Graph()  # noqa: S311 - a drawing, not a secret
    kinds = ["bnn.dense", "bnn.batch_norm", "flow.add", "flow.concatenate", "flow.flatten"]
    for i in range(size):
        graph = graph.add(f"node {i}", NODES[chance.choice(kinds)]())
    for _ in range(size * 2):
        a, b = sorted(chance.sample(range(size), 2))
        source, target = graph.node(f"node {a}"), graph.node(f"node {b}")
        port = chance.choice(target.inputs).name
        wire = Wire(f"node {a}", source.outputs[0].name, f"node {b}", port)
        if not graph.refusal(wire):
            graph = graph.wire(*wire)
    return graph


def _boxes(graph: Graph) -> dict[str, QRectF]:
    return {
        name: shape_of(plain_face(p.node, name)).box.translated(p.x, p.y) for name, p in graph.nodes.items()
    }


@pytest.mark.parametrize("seed", range(6))
def test_no_two_nodes_overlap(qapp: QApplication, seed: int) -> None:
    boxes = list(_boxes(arrange(_random_graph(seed, 20))).values())
    apart = [a.adjusted(-8, -8, 8, 8) for a in boxes]
    assert not any(a.intersects(b) for i, a in enumerate(apart) for b in boxes[i + 1 :])


def test_a_chain_runs_level_and_to_the_right(qapp: QApplication) -> None:
    graph = Graph()
    for i in range(4):
        graph = graph.add(f"n{i}", NODES["bnn.batch_norm"]())
        if i:
            graph = graph.wire(f"n{i - 1}", "out", f"n{i}", "in")
    placed = arrange(graph).nodes
    assert len({placed[n].y for n in placed}) == 1 or placed["n2"].y > placed["n1"].y
    first_band = [n for n in placed if placed[n].y == placed["n0"].y]
    assert [placed[n].x for n in first_band] == sorted(placed[n].x for n in first_band)


def test_a_long_graph_is_folded_to_the_shape_of_a_screen(qapp: QApplication) -> None:
    graph = Graph()
    for i in range(24):
        graph = graph.add(f"n{i}", NODES["bnn.batch_norm"]())
        if i:
            graph = graph.wire(f"n{i - 1}", "out", f"n{i}", "in")
    area = QRectF()
    for box in _boxes(arrange(graph)).values():
        area = area.united(box)
    assert 1.0 < area.width() / area.height() < 3.2


def test_arranging_twice_changes_nothing(qapp: QApplication) -> None:
    once = arrange(_random_graph(3, 15))
    assert arrange(once) == once


def test_an_empty_graph_stays_empty(qapp: QApplication) -> None:
    assert arrange(Graph()) == Graph()


def test_a_free_way_needs_no_lane_and_a_blocked_one_gets_one_clear_of_the_node() -> None:
    box = QRectF(200, -50, 150, 100)
    router = Router([box])
    assert router.lane(QPointF(0, 200), QPointF(600, 200)) is None
    lane = router.lane(QPointF(0, 0), QPointF(600, 0))
    assert lane is not None
    assert lane < box.top() or lane > box.bottom()


def test_two_wires_round_one_node_keep_apart() -> None:
    router = Router([QRectF(200, -50, 150, 100)])
    lanes = [router.lane(QPointF(0, 0), QPointF(600, 0)) for _ in range(3)]
    assert all(lane is not None for lane in lanes)
    assert len({round(lane) for lane in lanes if lane is not None}) == 3


def test_a_wire_back_goes_between_the_bands() -> None:
    upper, lower = QRectF(800, 0, 160, 100), QRectF(0, 300, 160, 100)
    lane = Router([upper, lower]).lane(QPointF(960, 50), QPointF(0, 350))
    assert lane is not None
    assert upper.bottom() < lane < lower.top()
