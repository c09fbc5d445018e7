"""PSA (bnn/flips.py) against the gradient of the expected loss, found from every state; and its training."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from tests_wiring import wired

from engine.bnn.flips import Labelled
from engine.catalog import NODES as N
from engine.losses import cross_entropy
from engine.records import Header, Records, no_facts
from engine.train.loop import Run
from engine.train.plan import Plan
from engine.train.progress import BatchDone

FEATURES, UNITS = 4, 5
UNIT = {"activation_bits": "1", "activation_quantizer": "psa"}
X = np.random.default_rng(5).standard_normal((8, FEATURES)).astype(np.float32)
LABELS = X[:, :3].argmax(axis=1)
STATES = np.array(list(itertools.product((-1.0, 1.0), repeat=UNITS)))


def network(normed, weight_bits="32", **unit):
    """Two hidden layers of drawn units, each behind a norm or not."""
    dense, units = {"weight_bits": weight_bits}, {**UNIT, **unit}
    chain = {
        "first": N["bnn.dense"](units=UNITS, **dense),
        "norm 1": N["bnn.batch_norm"](),
        "second": N["bnn.dense"](units=UNITS, **dense, **units),
        "norm 2": N["bnn.batch_norm"](),
        "head": N["bnn.dense"](units=3, **dense, **units),
    }
    chain = {name: node for name, node in chain.items() if normed or "norm" not in name}
    data = N["data.npz"](path="x.npz", header=Header((FEATURES,), ("x", "y", "z"), (), 6))
    wires = [f"{a}.out -> {b}.in" for a, b in itertools.pairwise(chain)]
    return wired(
        {"data": data, **chain, "out": N["flow.output"]()},
        ["data.samples -> first.in", *wires, "head.out -> out.scores", "data.labels -> out.labels"],
    )


def fresh(graph, seed, spread=1.0):
    rng = np.random.default_rng(seed)
    weights = {n: graph.node(n).start(rng, *graph.input_specs(n)) for n in graph.order}
    for arrays in weights.values():
        for name in [n for n in ("weight", "bias", "beta") if n in arrays]:
            arrays[name][...] = spread * rng.standard_normal(arrays[name].shape)
        if "gamma" in arrays:
            arrays["gamma"][...] = rng.choice([-1.0, 1.0], UNITS) * rng.uniform(0.7, 2, UNITS)
    return weights


def logistic(a):
    return 1 / (1 + np.exp(-a))


def normed(sums, shares, arrays):
    """What a norm makes of sums (records, states, units) that come by these shares, in a large batch."""
    if arrays is None:
        return sums
    shares = (shares / shares.sum())[..., None]
    mean = (shares * sums).sum(axis=(0, 1))
    deviation = np.sqrt((shares * (sums - mean) ** 2).sum(axis=(0, 1)) + 1e-5)
    return (sums - mean) / deviation * arrays["gamma"] + arrays["beta"]


def expected_loss(weights):
    """The mean loss over all states of both hidden layers and all records."""

    def dense(x, name):
        return x @ weights[name]["weight"].astype(np.float64).T + weights[name]["bias"]

    one = np.ones((len(X), 1))
    a = normed(dense(X.astype(np.float64), "first")[:, None], one, weights.get("norm 1"))
    first = logistic(STATES * a).prod(axis=-1)  # (records, states)
    sums = np.broadcast_to(dense(STATES, "second"), (len(X), *STATES.shape))
    b = normed(sums, first, weights.get("norm 2"))[0]
    second = logistic(STATES * b[:, None]).prod(axis=-1)  # (states of the first, of the second)
    scores = dense(STATES, "head")
    lost = np.log(np.exp(scores).sum(axis=1)) - scores.T[LABELS]
    return (first @ second * lost).sum() / len(X)


def true_gradient(weights, keys):
    found = {}
    for key in keys:
        name, what = key.split("/")
        array = weights[name][what]
        grad = found[key] = np.empty(array.shape)
        for at in np.ndindex(*array.shape):
            before, ends = array[at], []
            for step in (1e-2, -1e-2):
                array[at] = before + step
                ends.append((expected_loss(weights), np.float64(array[at])))
            array[at] = before
            grad[at] = (ends[0][0] - ends[1][0]) / (ends[0][1] - ends[1][1])
    return found


def estimate(graph, weights, linear=False, draws=4000):
    """The mean gradient over many draws: a batch that holds every record so many times."""
    records = Records(np.tile(X, (draws, 1)), np.tile(LABELS, draws), no_facts(draws * len(X)))
    plan = Plan(graph, weights, len(records))
    plan.reseed(0, 1)
    scores = plan.forward(records)
    _, grad = cross_entropy(scores, records.labels)
    for operator in plan.operators.values() if linear else ():
        operator.ahead = None
    plan.backward(
        grad, labelled=Labelled(scores, grad, lambda s, who: cross_entropy(s, records.labels[who])[0])
    )
    return {key: p.grad.astype(np.float64).copy() for key, p in plan.parameters().items()}


def off(found, wanted, key):
    return np.linalg.norm(found[key] - wanted[key]) / np.linalg.norm(wanted[key])


@pytest.mark.parametrize("seed", [0, 1])
def test_the_mean_over_draws_is_the_gradient_of_the_expected_loss(seed):
    graph = network(normed=False)
    weights = fresh(graph, seed)
    without_bias = ("head/weight", "head/bias", "second/weight", "second/bias")
    wanted = true_gradient(weights, (*without_bias, "first/weight", "first/bias"))
    found = estimate(graph, weights)
    for key in without_bias:  # the loss itself, and units right before it
        assert off(found, wanted, key) < 0.03, key
    others = [
        estimate(graph, weights, linear=True),  # straight-through, of the same draws
        estimate(network(normed=False, activation_quantizer="gumbel"), weights),
        estimate(network(normed=False, activation_quantizer="standard", estimator="identity"), weights),
    ]
    for key in ("first/weight", "first/bias"):
        assert off(found, wanted, key) < 0.2
        assert off(found, wanted, key) < 0.5 * min(off(other, wanted, key) for other in others)


@pytest.mark.parametrize("seed", [0, 1])
def test_norms_count_by_their_slopes_and_by_what_a_batch_has_in_common(seed):
    graph = network(normed=True)
    weights = fresh(graph, seed)
    without_bias = ("second/weight", "norm 2/gamma", "norm 2/beta")
    wanted = true_gradient(weights, (*without_bias, "first/weight"))
    found, linear = estimate(graph, weights), estimate(graph, weights, linear=True)
    for key in without_bias:
        assert off(found, wanted, key) < 0.05, key
    assert off(found, wanted, "first/weight") < 0.5 * off(linear, wanted, "first/weight")


@pytest.mark.parametrize("bits", ["1", "4"])
def test_weights_of_other_widths_are_as_near(bits):
    graph = network(normed=False, weight_bits=bits)
    weights = fresh(graph, 3)
    # The same network as floats: what is counted for the latent weights.
    floats = {name: dict(arrays) for name, arrays in weights.items()}
    for name in ("first", "second", "head"):
        quantized = Plan(graph, weights, 1).operators[name]._linear._quantized()
        floats[name]["weight"] = quantized.values * quantized.scale[:, None]
    wanted = true_gradient(floats, ("first/bias", "second/bias"))
    found, linear = estimate(graph, weights), estimate(graph, weights, linear=True)
    assert off(found, wanted, "second/bias") < 0.03
    assert off(found, wanted, "first/bias") < 0.5 * off(linear, wanted, "first/bias")


# Training


def drawing(project):
    """The project with drawn signs before its head in the place of the node that takes signs."""
    graph = project.graph.remove("sign").change("head", **UNIT)
    return replace(project, graph=graph.wire("norm", "out", "head", "in"))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"smoothing": 0.1, "augment": "mixup 0.4"},
        {"loss": "squared_hinge"},
        {"teacher": "self", "teacher_epochs": 1, "label_weight": 0.3},
    ],
    ids=str,
)
def test_the_loss_that_layers_ask_for_is_that_of_the_step(binary_project, monkeypatch, settings):
    project = drawing(binary_project)
    project = replace(project, training=replace(project.training, epochs=1, **settings))
    told, backward = [], Plan.backward

    def listening(plan, grad, also=None, labelled=None):
        everybody = np.arange(len(grad))
        told.append((labelled.losses(labelled.scores, everybody).mean(), plan, labelled, grad))
        for at in ((0, 0), (3, 1), (9, 2)):
            ends = [labelled.scores.copy() for _ in range(2)]
            ends[0][at] += 0.01
            ends[1][at] -= 0.01
            up, down = (labelled.losses(end, everybody).mean(dtype=np.float64) for end in ends)
            assert (up - down) / 0.02 == pytest.approx(labelled.grad[at], abs=1e-4)
        backward(plan, grad, also, labelled)

    monkeypatch.setattr(Plan, "backward", listening)
    steps = [r.loss for r in Run(project).steps() if isinstance(r, BatchDone) and r.stage != "teacher"]
    if "teacher" not in settings:
        np.testing.assert_allclose([loss for loss, *_ in told], steps, rtol=1e-5)
        assert all((labelled.grad == grad).all() for _, _, labelled, grad in told)
    else:
        assert all(loss < step for (loss, *_), step in zip(told[-len(steps) :], steps, strict=True))


def test_it_trains_and_ships_signs(binary_project):
    project = drawing(binary_project)
    end = list(Run(replace(project, training=replace(project.training, epochs=8))).steps())[-1]
    assert end.accuracy > 0.85
