"""PSA (bnn/flips.py): turned signs against brute force, and its gradients against those of every state."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from tests_wiring import wired

from engine.bnn.conv_filters import Filters
from engine.bnn.conv_layer import Kind
from engine.bnn.conv_patches import Patches
from engine.bnn.conv_window import window_of
from engine.bnn.flips import Scores, Units, loss_differences, row_differences
from engine.bnn.product import Activation
from engine.catalog import NODES as N
from engine.kernels.bits import pack_signs
from engine.kernels.flips import flip_rows, flip_secants
from engine.node import Moment
from engine.ports import words_for
from engine.precision import PRECISIONS
from engine.records import Header, Records, no_facts
from engine.train.loop import Run
from engine.train.plan import Plan
from engine.train.progress import BatchDone

BITS = Activation(PRECISIONS["1"])


def logistic(a):
    return 1 / (1 + np.exp(-np.asarray(a, np.float64)))


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def signs(seed, *shape):
    return np.where(np.random.default_rng(seed).random(shape) < 0.5, np.float32(1), np.float32(-1))


def twin(x, w, at, grad):
    """What `flip_rows` writes, from the logistic function itself."""
    turned = at[:, :, None] - 2.0 * w[None] * x[:, None, :]
    rise = logistic(at)[:, :, None] - logistic(turned)
    return x * np.einsum("nm,nmk->nk", grad.astype(np.float64), rise)


# The kernels


@pytest.mark.parametrize("spread", [0.01, 1.0, 40.0])
def test_turned_signs_move_the_chances_of_units_as_the_logistic_function_says(spread):
    x, w, at, grad = signs(0, 5, 7), spread * normal(1, 4, 7), spread * normal(2, 5, 4), normal(3, 5, 4)
    out = np.empty_like(x)
    rises = np.exp(2.0 * w.astype(np.float64))
    flip_rows(x, np.exp(-at.astype(np.float64)), rises, 1 / rises, grad, np.empty(7), out)
    np.testing.assert_allclose(out, twin(x, w, at, grad), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("places", [1, 3])
def test_weights_of_one_size_need_no_pairs(places):
    x, at, grad = signs(0, 6, 9), normal(2, 6, 4), normal(3, 6, 4)
    size = normal(4, places, 4)  # a slope below 0 turns the unit around
    w = signs(1, 4, 9)
    odd, even = np.empty_like(grad), np.empty(6, np.float32)
    flip_secants(np.exp(-at.astype(np.float64)), np.exp(2.0 * size.astype(np.float64)), grad, odd, even)
    found = odd @ w + x * even[:, None]
    for r in range(6):
        here = w * size[r % places][:, None]
        np.testing.assert_allclose(
            found[r : r + 1], twin(x[r : r + 1], here, at[r : r + 1], grad[r : r + 1]), atol=1e-5
        )


@pytest.mark.parametrize("one_size", [False, True])
@pytest.mark.parametrize("places", [1, 2])
def test_rows_of_places_have_slopes_of_their_own(places, one_size):
    x, at, grad, slopes = signs(0, 6, 9), normal(2, 6, 4), normal(3, 6, 4), normal(5, places, 4)
    values, sizes = (signs(1, 4, 9), abs(normal(6, 4))) if one_size else (normal(1, 4, 9), None)
    out = np.empty_like(x)
    row_differences(x, values, sizes, Units(at, grad, slopes), out)
    weights = values * sizes[:, None] if one_size else values
    for place in range(places):
        here = slice(place, None, places)
        wanted = twin(x[here], weights * slopes[place][:, None], at[here], grad[here])
        np.testing.assert_allclose(out[here], wanted, atol=1e-5)


def test_far_inputs_stay_finite():
    x, out = signs(0, 2, 3), np.empty((2, 3), np.float32)
    units = Units(np.float32([[900, -900], [0, 1e6]]), np.ones((2, 2), np.float32), np.float32([[1e4, 1]]))
    for sizes in (None, np.float32([3, 3e5])):
        row_differences(x, signs(1, 2, 3), sizes, units, out)
        assert np.isfinite(out).all()
        assert (abs(out) <= 2).all()


# Convolutions


def maps_of(x, activation_bits="1"):
    words = np.empty((len(x), words_for(x[0].size)), np.uint64)
    pack_signs(x.reshape(len(x), -1), words)
    return words


CONVOLUTIONS = {
    "plain": ((4, 4, 2), {"kernel": 3, "padding": "valid"}, 1, -1),
    "padded": ((4, 3, 2), {"kernel": 3, "padding": "same"}, 1, -1),
    "padded by 0": ((4, 3, 2), {"kernel": 3, "padding": "same"}, 1, 0),
    "strided": ((5, 5, 1), {"kernel": 3, "stride": 2, "padding": "same"}, 1, 1),
    "grouped": ((4, 4, 4), {"kernel": 2, "padding": "valid"}, 2, -1),
}


@pytest.mark.parametrize("case", CONVOLUTIONS)
@pytest.mark.parametrize(
    ("bits", "quantizer"), [("1", "xnor"), ("32", "standard"), ("1", "abc_net_2"), ("2", "standard")]
)
@pytest.mark.parametrize("by_place", [False, True])
def test_a_turned_sign_of_a_map_counts_in_every_patch_that_it_stands_in(case, bits, quantizer, by_place):
    shape, fields, groups, pad = CONVOLUTIONS[case]
    window = window_of(shape, 2, **{"stride": 1, **fields})
    patches = Patches(window, groups, pad)
    weight = normal(1, 4, patches.inputs)
    filters = Filters({"weight": weight}, Kind(bits, quantizer, "clipped"), patches, 2)
    x = signs(2, 2, *shape)

    def products(maps):
        return filters.forward(maps_of(maps), BITS, 1.0, None).reshape(2, window.places, 4).copy()

    slopes, shift = normal(3, window.places if by_place else 1, 4), normal(4, 4)
    grad = normal(5, 2, window.places, 4)
    wanted = np.empty((2, *shape))
    for at in np.ndindex(*shape):
        chance = []
        for value in (1, -1):
            turned = x.copy()
            turned[(slice(None), *at)] = value
            chance.append(logistic(products(turned) * slopes + shift))
        wanted[(slice(None), *at)] = (grad * (chance[0] - chance[1])).sum(axis=(1, 2))
    at = products(x) * slopes + shift
    found = filters.differences(Units(at.reshape(-1, 4), grad.reshape(-1, 4), slopes))
    np.testing.assert_allclose(found.reshape(2, *shape), wanted, atol=2e-5)


# The gradient of the expected loss


def network(weight_bits="32", **unit):
    dense = {"weight_bits": weight_bits, "weight_quantizer": "standard"}
    units = {"activation_bits": "1", "activation_quantizer": "psa", **unit}
    nodes = {
        "data": N["data.npz"](path="x.npz", header=Header((3,), ("x", "y"), (), 6)),
        "first": N["bnn.dense"](units=3, **dense),
        "second": N["bnn.dense"](units=4, **dense, **units),
        "head": N["bnn.dense"](units=2, **dense, **units),
        "out": N["flow.output"](),
    }
    wires = ["data.samples -> first.in", "first.out -> second.in", "second.out -> head.in"]
    return wired(nodes, [*wires, "head.out -> out.scores", "data.labels -> out.labels"])


def fresh(graph, seed=0, spread=1.5):
    rng = np.random.default_rng(seed)
    weights = {n: graph.node(n).start(rng, *graph.input_specs(n)) for n in graph.order}
    for name in ("first", "second", "head"):
        for array in weights[name].values():
            array[...] = spread * rng.standard_normal(array.shape)
    return weights


SAMPLE, LABEL = np.float32([0.6, -1.1, 0.4]), 1


def loss_of(scores, labels):
    shifted = scores - scores.max(axis=1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels]


def expected_loss(weights):
    """The mean loss over all states of both hidden layers, and so what PSA estimates the gradient of."""

    def dense(x, name):
        return x @ weights[name]["weight"].astype(np.float64).T + weights[name]["bias"]

    def chance(states, a):
        return logistic(states * a).prod(axis=1)

    total, a = 0.0, dense(SAMPLE, "first")
    last = np.array(list(itertools.product((-1.0, 1.0), repeat=4)))
    lost = loss_of(dense(last, "head"), np.full(16, LABEL))
    for state in itertools.product((-1.0, 1.0), repeat=3):
        x = np.array(state)
        total += chance(x[None], a)[0] * (chance(last, dense(x, "second")) * lost).sum()
    return total


def true_gradient(weights):
    found = {}
    for name in ("first", "second", "head"):
        for key in ("weight", "bias"):
            array, step = weights[name][key], 1e-2
            grad = found[f"{name}/{key}"] = np.empty(array.shape)
            for at in np.ndindex(*array.shape):
                ends = []
                before = array[at]
                for sign in (1, -1):
                    array[at] = before + sign * step
                    ends.append((expected_loss(weights), np.float64(array[at])))
                array[at] = before
                grad[at] = (ends[0][0] - ends[1][0]) / (ends[0][1] - ends[1][1])
    return found


def estimate(graph, weights, draws, losses=True, seed=0):
    """The mean gradient over many draws: a batch of one record many times over."""
    records = Records(np.tile(SAMPLE, (draws, 1)), np.full(draws, LABEL), no_facts(draws))
    plan = Plan(graph, weights, draws)
    plan.reseed(seed, 1)
    scores = plan.forward(records).astype(np.float64)
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[:, LABEL] -= 1

    def of(scores, who):
        return loss_of(scores, records.labels[who])

    plan.backward((p / draws).astype(np.float32), losses=of if losses else None)
    return {key: p.grad.astype(np.float64).copy() for key, p in plan.parameters().items()}


def off(found, wanted, key):
    return np.linalg.norm(found[key] - wanted[key]) / np.linalg.norm(wanted[key])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_mean_over_draws_is_the_gradient_of_the_expected_loss(seed):
    graph = network()
    weights = fresh(graph, seed)
    wanted = true_gradient(weights)
    found = estimate(graph, weights, 40_000)
    for key in ("head/weight", "head/bias", "second/weight", "second/bias"):
        assert off(found, wanted, key) < 0.03, key  # without bias: of the loss, and of units before the loss
    linear = {
        "identity": network(activation_quantizer="standard"),
        "gumbel": network(activation_quantizer="gumbel"),
    }
    for key in ("first/weight", "first/bias"):
        others = [off(estimate(g, weights, 40_000, losses=False), wanted, key) for g in linear.values()]
        straight_through = off(estimate(graph, weights, 40_000, losses=False), wanted, key)
        assert off(found, wanted, key) < 0.5 * min(straight_through, *others)


@pytest.mark.parametrize("bits", ["1", "4"])
def test_other_widths_of_weights_are_as_near(bits):
    graph = network(bits)
    weights = fresh(graph, 3)
    # What is counted for the latent weights, as floats: the same network.
    floats = {name: dict(arrays) for name, arrays in weights.items()}
    for name in ("first", "second", "head"):
        quantized = Plan(graph, weights, 1).operators[name]._linear._quantized()
        floats[name]["weight"] = quantized.values * quantized.scale[:, None]
    wanted = true_gradient(floats)
    found = estimate(graph, weights, 40_000)
    assert off(found, wanted, "second/bias") < 0.03
    assert off(found, wanted, "first/bias") < 0.15


def test_the_loss_is_asked_record_by_record():
    x, w = signs(0, 40, 9), normal(1, 3, 9)
    labels, slopes = np.random.default_rng(2).integers(0, 3, 40), np.float32([[0.5, -1, 2]])
    scores = (x @ w.T) * slopes
    out = np.empty_like(x)
    loss_differences(x, w, Scores(scores, lambda s, who: loss_of(s, labels[who]), slopes), out)
    for i in range(9):
        up, down = x.copy(), x.copy()
        up[:, i], down[:, i] = 1, -1
        ends = [loss_of((end @ w.T).astype(np.float64) * slopes, labels) for end in (up, down)]
        np.testing.assert_allclose(out[:, i], (ends[0] - ends[1]) / 2 / 40, atol=1e-7)


# What the sums of a layer lead to

UNIT = {"activation_bits": "1", "activation_quantizer": "psa"}
BEHIND = {
    "norm": [N["bnn.batch_norm"]()],
    "flat": [N["flow.flatten"](), N["bnn.batch_norm"]()],
    "element": [N["bnn.batch_norm"](over="element"), N["flow.flatten"]()],
    "pooled": [N["bnn.max_pool"](), N["flow.flatten"]()],
    "curved": [N["bnn.prelu"](), N["flow.flatten"]()],
}


def convolved(between, last=UNIT):
    nodes = {
        "data": N["data.npz"](path="x.npz", header=Header((4, 4), ("x", "y"), (), 6)),
        "map": N["bnn.conv2d"](filters=3),
        "conv": N["bnn.conv2d"](filters=2, **UNIT),
        **{f"n{i}": node for i, node in enumerate(between)},
        "head": N["bnn.dense"](units=2, **last),
        "out": N["flow.output"](),
    }
    chain = [n for n in nodes if n not in ("data", "out")]
    wires = [f"{a}.out -> {b}.in" for a, b in itertools.pairwise(chain)]
    graph = wired(
        nodes,
        ["data.samples -> map.in", *wires, "head.out -> out.scores", "data.labels -> out.labels"],
    )
    rng = np.random.default_rng(0)
    return graph, {n: graph.node(n).start(rng, *graph.input_specs(n)) for n in graph.order}


def images():
    return Records(normal(7, 6, 4, 4), np.random.default_rng(1).integers(0, 2, 6), no_facts(6))


@pytest.mark.parametrize("behind", ["flat", "element"])
def test_a_norm_counts_by_its_slope_whatever_is_flattened(behind):
    graph, weights = convolved(BEHIND[behind])
    for name, arrays in weights.items():
        if "gamma" in arrays:
            arrays["gamma"][...] = normal(3, arrays["gamma"].size)
            norm = name
    plan = Plan(graph, weights, 6)
    plan.forward(images())
    plan.backward(normal(4, 6, 2))
    found = plan.operators["conv"].ahead.find(2)
    operator = plan.operators[norm]
    # Sums times slopes are what units are drawn from, but for a shift of each channel or element.
    sums = plan.value("conv", "out").reshape(6, 16, 2) * found.slopes
    shift = found.at.reshape(6, 16, 2) - sums
    np.testing.assert_allclose(shift, np.broadcast_to(shift[:1], shift.shape), atol=1e-5)
    assert found.slopes.shape == (16 if operator.slopes().size > 2 else 1, 2)
    assert (found.grad == plan.operators["head"].taken.drawn[1].reshape(-1, 2)).all()


@pytest.mark.parametrize(
    ("behind", "last"),
    [("pooled", UNIT), ("curved", UNIT), ("flat", {**UNIT, "activation_quantizer": "gumbel"}), ("flat", {})],
)
def test_what_is_not_followed_goes_back_by_derivatives(behind, last):
    graph, weights = convolved(BEHIND[behind], last)
    plan = Plan(graph, weights, 6)
    plan.forward(images())
    plan.backward(normal(4, 6, 2))
    assert plan.operators["conv"].ahead is None
    assert all(np.isfinite(p.grad).all() for p in plan.parameters().values())
    assert np.abs(plan.parameters()["map/weight"].grad).max() > 0


def test_another_term_of_the_loss_on_the_way_is_not_lost():
    graph, weights = convolved(BEHIND["flat"])
    plan = Plan(graph, weights, 6)
    plan.forward(images())
    plan.backward(normal(4, 6, 2), {("n1", "out"): normal(5, 6, 32)})
    assert plan.operators["conv"].ahead.find(2) is None
    plan.backward(normal(4, 6, 2), {("map", "out"): normal(5, 6, 4, 4, 3)})
    assert plan.operators["conv"].ahead.find(2) is not None


def test_a_stage_of_float_activations_has_derivatives():
    graph, weights = convolved(BEHIND["flat"])
    plan = Plan(graph, weights, 6)
    plan.tell(Moment(activations=False))
    plan.forward(images())
    plan.backward(normal(4, 6, 2), losses=lambda scores, who: scores[:, 0])
    assert plan.operators["conv"].turned(2) is None
    assert plan.operators["head"].turned(2) is None


# Training


def drawing(project):
    """The project with drawn signs before its head in the place of the node that takes signs."""
    graph = project.graph.remove("sign").change("head", **UNIT)
    return replace(project, graph=graph.wire("norm", "out", "head", "in"))


def told(project, monkeypatch):
    """The losses that the plan is told of in every step, at the scores as they are; or None."""
    found, backward = [], Plan.backward

    def listening(plan, grad, also=None, losses=None):
        scores = plan.value("head", "out").astype(np.float64)
        found.append(losses(scores, np.arange(len(scores))).mean() if losses else None)
        backward(plan, grad, also, losses)

    monkeypatch.setattr(Plan, "backward", listening)
    steps = [r.loss for r in Run(project).steps() if isinstance(r, BatchDone) and r.stage != "teacher"]
    return found, steps


@pytest.mark.parametrize(
    "settings", [{}, {"smoothing": 0.1, "augment": "mixup 0.4"}, {"loss": "squared_hinge"}], ids=str
)
def test_the_loss_that_layers_ask_for_is_that_of_the_step(binary_project, monkeypatch, settings):
    project = drawing(binary_project)
    project = replace(project, training=replace(project.training, epochs=1, **settings))
    found, steps = told(project, monkeypatch)
    np.testing.assert_allclose(found, steps, rtol=1e-5)


def test_with_a_teacher_in_the_loss_the_scores_go_back_by_derivatives(binary_project, monkeypatch):
    project = drawing(binary_project)
    taught = replace(project.training, epochs=1, teacher="self", teacher_epochs=1)
    found, steps = told(replace(project, training=taught), monkeypatch)
    assert found[-len(steps) :] == [None] * len(steps)


def test_it_trains_and_ships_signs(binary_project):
    project = drawing(binary_project)
    end = list(Run(replace(project, training=replace(project.training, epochs=8))).steps())[-1]
    assert end.accuracy > 0.85
