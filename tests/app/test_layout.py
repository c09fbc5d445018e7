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


def test_a_free_way_is_straight_and_a_blocked_one_is_clear_of_the_node() -> None:
    box = QRectF(200, -50, 150, 100)
    router = Router([box])
    assert router.route(QPointF(0, 200), QPointF(600, 200)) is None
    route = router.route(QPointF(0, 0), QPointF(600, 0))
    assert route is not None
    assert route.lane < box.top() or route.lane > box.bottom()
    assert 0 < route.leave < box.left()
    assert box.right() < route.arrive < 600


def test_wires_round_one_node_keep_apart_along_and_down() -> None:
    router = Router([QRectF(200, -50, 150, 100)])
    routes = [router.route(QPointF(0, 0), QPointF(600, 0)) for _ in range(3)]
    assert len({round(r.lane) for r in routes if r}) == 3
    below = [r for r in routes if r and r.lane > 0]
    assert len({r.leave for r in below}) == len(below)


def test_a_wire_back_goes_between_the_bands() -> None:
    upper, lower = QRectF(800, 0, 160, 100), QRectF(0, 300, 160, 100)
    route = Router([upper, lower]).route(QPointF(960, 50), QPointF(0, 350))
    assert route is not None
    assert upper.bottom() < route.lane < lower.top()


def test_a_way_down_does_not_run_behind_another_node() -> None:
    beside = QRectF(20, 120, 160, 100)  # under the port, where the way down would go
    blocking = QRectF(200, -50, 150, 100)
    route = Router([beside, blocking]).route(QPointF(0, 0), QPointF(600, 0))
    assert route is not None
    assert route.lane < 120
