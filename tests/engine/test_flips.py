"""bnn/flips.py: what turned signs do, against brute force; and what the sums of a layer lead to."""

import itertools

import numpy as np
import pytest
from tests_wiring import wired

from engine.bnn.conv_filters import Filters
from engine.bnn.conv_layer import Kind
from engine.bnn.conv_patches import Patches
from engine.bnn.conv_window import window_of
from engine.bnn.flips import Labelled, Scores, Units, loss_differences, row_differences
from engine.bnn.product import Activation
from engine.catalog import NODES as N
from engine.kernels.bits import pack_signs
from engine.kernels.flips import flip_rows, flip_secants
from engine.node import Moment
from engine.ports import words_for
from engine.precision import PRECISIONS
from engine.records import Header, Records, no_facts
from engine.train.plan import Plan

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
    rest = normal(7, 6, 4)
    row_differences(x, values, sizes, Units(at, grad, slopes, rest), out)
    weights = values * sizes[:, None] if one_size else values
    out -= rest @ weights
    for place in range(places):
        here = slice(place, None, places)
        wanted = twin(x[here], weights * slopes[place][:, None], at[here], grad[here])
        np.testing.assert_allclose(out[here], wanted, atol=1e-5)


def test_far_inputs_stay_finite():
    x, out = signs(0, 2, 3), np.empty((2, 3), np.float32)
    one, none = np.ones((2, 2), np.float32), np.zeros((2, 2), np.float32)
    units = Units(np.float32([[900, -900], [0, 1e6]]), one, np.float32([[1e4, 1]]), none)
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
    at, grad = at.reshape(-1, 4), grad.reshape(-1, 4)
    found = filters.differences(Units(at, grad, slopes, np.zeros_like(at))).copy()
    np.testing.assert_allclose(found.reshape(2, *shape), wanted, atol=2e-5)
    # What else arrives goes back as any derivative does.
    rest = normal(6, *at.shape)
    more = filters.differences(Units(at, grad, slopes, rest)) - found
    np.testing.assert_allclose(more, filters.backward(rest, maps_wanted=True), atol=2e-5)


# Scores


def loss_of(scores, labels):
    shifted = scores - scores.max(axis=1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels]


def test_the_loss_is_asked_record_by_record():
    x, w = signs(0, 40, 9), normal(1, 3, 9)
    labels, slopes = np.random.default_rng(2).integers(0, 3, 40), np.float32([[0.5, -1, 2]])
    scores = (x @ w.T) * slopes
    out = np.empty_like(x)
    rest = normal(3, 40, 3)
    end = Labelled(scores, rest, lambda s, who: loss_of(s, labels[who]))
    loss_differences(x, w, Scores(end, slopes, rest), out)
    out -= rest @ w
    for i in range(9):
        up, down = x.copy(), x.copy()
        up[:, i], down[:, i] = 1, -1
        ends = [loss_of((end @ w.T).astype(np.float64) * slopes, labels) for end in (up, down)]
        np.testing.assert_allclose(out[:, i], (ends[0] - ends[1]) / 2 / 40, atol=1e-6)


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
    found = plan.operators["conv"].ahead.find(np.zeros((96, 2), np.float32))
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
    assert plan.operators["conv"].metrics() == {"followed": 0.0}
    assert plan.operators["head"].metrics() == ({"followed": 1.0} if last is UNIT else {})
    assert all(np.isfinite(p.grad).all() for p in plan.parameters().values())
    assert np.abs(plan.parameters()["map/weight"].grad).max() > 0


def test_maps_that_become_the_scores_go_back_by_derivatives():
    graph, weights = convolved([N["flow.flatten"]()])
    graph = graph.wire("n0", "out", "out", "scores")
    plan = Plan(graph, weights, 6)
    grad = normal(4, 6, 32)
    plan.forward(images())
    plan.backward(grad, labelled=Labelled(grad, grad, lambda scores, who: scores[:, 0]))
    assert plan.operators["conv"].metrics() == {"followed": 0.0}
    assert np.abs(plan.parameters()["map/weight"].grad).max() > 0


def test_another_term_of_the_loss_on_the_way_is_not_lost():
    graph, weights = convolved(BEHIND["flat"])
    more, found = normal(5, 6, 4, 4, 2), []
    for also in ({}, {("conv", "out"): more}):
        plan = Plan(graph, weights, 6)
        plan.forward(images())
        plan.backward(normal(4, 6, 2), also)
        found.append(plan.operators["conv"].taken.drawn[1].copy())
    linear = plan.operators["conv"]._trained.backward(more.reshape(-1, 2), maps_wanted=True)
    np.testing.assert_allclose(found[1] - found[0], linear.reshape(found[0].shape), atol=1e-5)


def test_a_stage_of_float_activations_has_derivatives():
    graph, weights = convolved(BEHIND["flat"])
    plan = Plan(graph, weights, 6)
    plan.tell(Moment(activations=False))
    plan.forward(images())
    grad = normal(4, 6, 2)
    plan.backward(grad, labelled=Labelled(grad, grad, lambda scores, who: scores[:, 0]))
    assert plan.operators["conv"].turned(np.zeros((96, 2), np.float32)) is None
    assert plan.operators["head"].turned(grad) is None
