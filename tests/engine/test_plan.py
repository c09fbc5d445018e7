"""train/plan.py: gradients through forks and joins against finite differences, and what is left out."""

import numpy as np
import pytest
from tests_wiring import wired

from engine.catalog import NODES as N
from engine.errors import TrainError
from engine.records import Header, Records, no_facts
from engine.train.plan import Plan, answer_wire, live

WIRES = [
    "data.samples -> flat.in",
    "flat.out -> a.in",
    "flat.out -> b.in",
    "a.out -> add.a",
    "b.out -> add.b",
    "add.out -> join.a",
    "a.out -> join.b",
    "join.out -> norm.in",
    "norm.out -> head.in",
    "head.out -> out.scores",
    "data.labels -> out.labels",
]


@pytest.fixture
def graph():
    dense = {"weight_bits": "32", "activation_bits": "32"}
    nodes = {
        "data": N["data.npz"](path="x.npz", header=Header((3, 4), ("x", "y", "z"), (), 6)),
        "flat": N["flow.flatten"](),
        "a": N["bnn.dense"](units=5, **dense),
        "b": N["bnn.dense"](units=5, **dense),
        "add": N["flow.add"](),
        "join": N["flow.concatenate"](),
        "norm": N["bnn.batch_norm"](),
        "head": N["bnn.dense"](units=3, **dense),
        "out": N["flow.output"](),
    }
    return wired(nodes, WIRES)


def weights_of(graph):
    rng = np.random.default_rng(0)
    return {n: graph.node(n).start(rng, *graph.input_specs(n)) for n in graph.order}


def records():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((6, 3, 4)).astype(np.float32)
    return Records(x, rng.integers(0, 3, 6), no_facts(6))


def test_gradients_through_forks_and_joins_pass_finite_differences(graph):
    weights, batch = weights_of(graph), records()
    plan = Plan(graph, weights, 6)
    dy = np.random.default_rng(2).standard_normal((6, 3)).astype(np.float32)
    plan.forward(batch)
    plan.backward(dy)
    grads = {k: p.grad.copy() for k, p in plan.parameters().items()}
    assert set(grads) >= {"a/weight", "b/weight", "norm/gamma", "head/bias"}

    def value():
        return float((plan.forward(batch).astype(np.float64) * dy).sum())

    for key, grad in grads.items():
        array = plan.parameters()[key].value
        at = tuple(s // 2 for s in array.shape)
        before = array[at]
        array[at] = before + 0.01
        up = value()
        array[at] = before - 0.01
        down = value()
        array[at] = before
        assert (up - down) / 0.02 == pytest.approx(float(grad[at]), abs=0.02), key


def test_what_feeds_only_a_memory_is_left_out(graph):
    assert "b" in live(graph)
    assert answer_wire(graph).source == "head"
    side = graph.add("spare", N["bnn.dense"]()).wire("flat", "out", "spare", "in")
    assert "spare" not in live(side)


def test_the_plan_says_what_it_holds(graph):
    plan = Plan(graph, weights_of(graph), 6)
    found = plan.footprint()
    assert found.weights > 0
    outputs = 12 + 5 + 5 + 5 + 10 + 10 + 3  # flat, a, b, add, join, norm, head; out gives nothing
    assert found.activations == 6 * 4 * outputs
    assert found.training == 3 * sum(p.grad.nbytes for p in plan.parameters().values())


def test_without_scores_there_is_nothing_to_train(graph):
    loose = graph.unwire(next(w for w in graph.wires if w.source == "head"))
    with pytest.raises(TrainError, match="No scores reach the output"):
        Plan(loose, weights_of(graph), 6)


def test_a_gradient_may_be_written_over_only_where_nobody_else_holds_it(graph):
    plan = Plan(graph, weights_of(graph), 6)
    spare = {name for name, operator in plan.operators.items() if operator.grad_spare}
    # What norm and head give back is theirs alone. What comes to a is a sum of two, b and add get views of
    # one array, and head gets the loss's.
    assert spare == {"join", "norm"}
    plan.forward(records())
    plan.backward(np.ones((6, 3), np.float32))
