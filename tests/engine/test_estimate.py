"""estimate.py: figures counted by hand."""

import pytest

from engine.bnn.dense import Dense
from engine.estimate import estimate, figures
from engine.flow.flatten import Flatten
from engine.graph import Graph
from engine.node import Cost, Work
from engine.ports import Spec
from engine.records import Header
from engine.sources.npz import NumpyArchive


def test_a_dense_layer_is_counted_exactly():
    cost = Dense(units=100, weight_bits="1", activation_bits="1").cost(Spec("real", (130,)))
    found = figures(cost)
    assert found.weight_bits == 100 * 3 * 64 + 100 * 32 + 100 * 32  # words, scale, bias
    assert found.operations == 13_000
    assert found.steps == -(-13_000 // 64)
    whole = figures(Dense(units=100, weight_bits="32", bias=False).cost(Spec("real", (130,))))
    assert whole.weight_bits == 13_000 * 32
    assert whole.steps == 13_000


def test_energy_follows_the_named_table():
    def energy(weight, activation):
        return figures(Cost(0, (Work(1, weight, activation),))).energy_pj

    assert energy("32", "32") == pytest.approx(3.7 + 0.9)
    assert energy("16", "16") == pytest.approx(1.1 + 0.4)
    assert energy("8", "8") == pytest.approx(0.002995 * 64 + 0.00104 * 8 + 0.1)
    assert energy("1", "32") == pytest.approx(0.9)
    assert energy("1", "1") == pytest.approx(0.002995 + 0.00104 + 0.003125)
    assert figures(Cost(640)).energy_pj == pytest.approx(100)


def test_wider_weights_cost_more():
    def total(bits):
        return figures(Dense(weight_bits=bits, activation_bits="32").cost(Spec("real", (256,))))

    sizes = [total(bits).weight_bits for bits in ("1", "ternary", "3", "4", "8", "16", "32")]
    assert sizes == sorted(sizes)


def test_the_whole_is_the_sum_of_its_nodes():
    source = NumpyArchive(path="x.npz", header=Header((8, 8), ("a",), (), 1))
    graph = (
        Graph().add("data", source).add("flat", Flatten()).add("a", Dense(units=9)).add("b", Dense(units=1))
    )
    graph = (
        graph.wire("data", "samples", "flat", "in").wire("flat", "out", "a", "in").wire("a", "out", "b", "in")
    )
    found = estimate(graph)
    assert found.total.operations == 64 * 9 + 9
    assert found.total.weight_bits == sum(f.weight_bits for f in found.by_node.values())
    assert found.source == "counted"
    loose = graph.unwire(graph.wires[0])
    assert "a" not in estimate(loose).by_node
