"""bnn/conv.py: every pair of widths against plain loops, and backward by finite differences."""

from itertools import product

import numpy as np
import pytest
from maps import as_it_counts, packed_signs, weights_as_they_count

from engine.bnn.activations import ACTIVATION_QUANTIZERS
from engine.bnn.conv import Conv1d, Conv2d, Conv3d
from engine.bnn.product import Activation, way
from engine.bnn.weights import WEIGHT_QUANTIZERS
from engine.node import Moment, ShapeError
from engine.ports import Spec
from engine.precision import PRECISIONS

every_weight = pytest.mark.parametrize("weight", PRECISIONS)
every_activation = pytest.mark.parametrize("activation", PRECISIONS)
LAYERS = {1: Conv1d, 2: Conv2d, 3: Conv3d}
FAMILIES = (WEIGHT_QUANTIZERS, ACTIVATION_QUANTIZERS)
SHAPES = {1: (11, 6), 2: (5, 7, 6), 3: (3, 5, 4, 6)}
N, FILTERS = 3, 8
CASES = [
    {},
    {"padding": "valid"},
    {"stride": 2},
    {"stride": 3, "kernel": 2},
    {"dilation": 2},
    {"kernel": 1},
    {"groups": 2},
    {"groups": 2, "stride": 2, "dilation": 2},
    {"kernel": 2, "padding": "valid", "stride": 2},
]


def direct(x, weight, node, pad):
    """The definition: x (n, *size, channels), weight (filters, taps x channels of a group)."""
    dims, size, channels = node.dims, x.shape[1:-1], x.shape[-1]
    reach = (node.kernel - 1) * node.dilation + 1
    if node.padding == "same":
        out = [-(-s // node.stride) for s in size]
        over = [max(0, (o - 1) * node.stride + reach - s) for o, s in zip(out, size, strict=True)]
        x = np.pad(x, [(0, 0), *((p // 2, p - p // 2) for p in over), (0, 0)], constant_values=pad)
    else:
        out = [(s - reach) // node.stride + 1 for s in size]
    filters, each, mine = len(weight), channels // node.groups, len(weight) // node.groups
    w = weight.reshape(filters, *[node.kernel] * dims, each)
    y = np.zeros((len(x), *out, filters))
    for place in product(*map(range, out)):
        for tap in product(*[range(node.kernel)] * dims):
            at = tuple(p * node.stride + t * node.dilation for p, t in zip(place, tap, strict=True))
            for f in range(filters):
                first = f // mine * each
                seen = x[(slice(None), *at, slice(first, first + each))]
                y[(slice(None), *place, f)] += seen @ w[(f, *tap)]
    return y


def made(dims=2, spec=None, **fields):
    spec = spec or Spec("real", SHAPES[dims])
    node = LAYERS[dims](filters=FILTERS, **fields)
    weights = node.start(np.random.default_rng(0), spec)
    weights["weight"] *= 3
    weights["bias"][:] = np.linspace(-1, 1, FILTERS)
    if "step" in weights:
        weights["step"][0] = 0.21
    return node, spec, weights


def reals(shape, seed=1):
    return np.random.default_rng(seed).standard_normal((N, *shape)).astype(np.float32)


def both_ways(node, spec, weights, x):
    (trained,) = node.operator(weights, len(x), spec).execute(x)
    (shipped,) = node.predictor(node.pack(weights, spec), spec)(x)
    assert trained.shape == shipped.shape == (len(x), *node.specs(spec)[0].shape)
    return trained, shipped


@every_weight
@every_activation
def test_a_layer_is_the_direct_convolution_at_every_pair_of_widths(weight, activation):
    node, spec, weights = made(weight_bits=weight, activation_bits=activation, pad_value="1")
    x = reals(spec.shape)
    pad = 1 if PRECISIONS[activation].binary else 0
    expected = direct(as_it_counts(x, activation), weights_as_they_count(weights, weight), node, pad)
    trained, shipped = both_ways(node, spec, weights, x)
    assert np.allclose(shipped, expected + weights["bias"], atol=1e-3)
    assert np.allclose(trained, shipped, atol=1e-4)
    if way(PRECISIONS[weight], Activation.of(spec, activation)) != "floats":
        assert trained.tobytes() == shipped.tobytes()


@pytest.mark.parametrize("dims", LAYERS)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("widths", [("1", "1"), ("32", "32"), ("2", "1")])
def test_strides_dilation_groups_and_padding(dims, case, widths):
    fields = {"weight_bits": widths[0], "activation_bits": widths[1], "pad_value": "0"}
    node, spec, weights = made(dims, **fields, **case)
    x = reals(spec.shape)
    expected = direct(as_it_counts(x, widths[1]), weights_as_they_count(weights, widths[0]), node, 0)
    for y in both_ways(node, spec, weights, x):
        assert np.allclose(y, expected + weights["bias"], atol=1e-3)


@pytest.mark.parametrize("pad", ["-1", "0", "1"])
@pytest.mark.parametrize("channels", [1, 3, 32, 64])
def test_a_packed_map_is_padded_by_what_is_asked(pad, channels):
    shape = (5, 4, channels)
    spec = Spec("bits", shape, "1", low=-1)
    node, spec, weights = made(spec=spec, pad_value=pad)
    x = reals(shape)
    expected = direct(np.where(x >= 0, 1.0, -1.0), weights_as_they_count(weights, "1"), node, int(pad))
    trained, shipped = both_ways(node, spec, weights, packed_signs(x))
    assert np.allclose(shipped, expected + weights["bias"], atol=1e-3)
    assert trained.tobytes() == shipped.tobytes()


@pytest.mark.parametrize("given", ["ternary", "2", "4", "8", "16"])
@pytest.mark.parametrize("weight", ["1", "2", "32"])
def test_a_bits_wire_keeps_its_own_width(weight, given):
    row, shape = PRECISIONS[given], (4, 5, 2)
    if row.is_float:
        spec, x = Spec("bits", shape, given), reals(shape).astype(np.float16).astype(np.float32)
        values = x.astype(np.float64)
    else:
        high = 1 if row.low == -1 else row.high - row.low
        spec = Spec("bits", shape, given, step=1 / high, low=-1 if row.low == -1 else 0)
        x = np.random.default_rng(2).integers(spec.low, high + 1, (N, *shape)).astype(np.int16)
        values = x / high
    node, spec, weights = made(spec=spec, weight_bits=weight)
    expected = direct(values, weights_as_they_count(weights, weight), node, 0)
    for y in both_ways(node, spec, weights, x):
        assert np.allclose(y, expected + weights["bias"], atol=1e-3)


@pytest.mark.parametrize("dims", LAYERS)
@pytest.mark.parametrize("case", CASES)
def test_gradients_at_width_32_pass_finite_differences(dims, case):
    node, spec, weights = made(dims, weight_bits="32", **case)
    x = reals(spec.shape)
    operator = node.operator(weights, N, spec)
    (y,) = operator.execute(x)
    dy = np.random.default_rng(3).standard_normal(y.shape).astype(np.float32)
    (dx,) = (g.copy() for g in operator.gradient(dy))
    grads = {p.name: p.grad.copy() for p in operator.parameters()}

    def value():
        counts = direct(x.astype(np.float64), weights["weight"].astype(np.float64), node, 0)
        return float(((counts + weights["bias"]) * dy).sum())

    for array, grad in ((weights["weight"], grads["weight"]), (weights["bias"], grads["bias"]), (x, dx)):
        for at in ((0,) * array.ndim, tuple(s // 2 for s in array.shape), tuple(s - 1 for s in array.shape)):
            before = array[at]
            array[at] = before + np.float32(0.5)
            up = value()
            array[at] = before - np.float32(0.5)
            down = value()
            array[at] = before
            assert up - down == pytest.approx(float(grad[at]), abs=2e-3)


@pytest.mark.parametrize("pad", ["-1", "0", "1"])
@pytest.mark.parametrize("case", [{}, {"groups": 2}, {"stride": 2}, {"padding": "valid"}])
def test_one_bit_gradients_are_those_of_the_signs(pad, case):
    node, spec, weights = made(activation_bits="1", pad_value=pad, **case)
    x = reals(spec.shape)
    operator = node.operator(weights, N, spec)
    (y,) = operator.execute(x)
    dy = np.random.default_rng(3).standard_normal(y.shape).astype(np.float32)
    (dx,) = (g.copy() for g in operator.gradient(dy))
    grad = next(p.grad for p in operator.parameters() if p.name == "weight")
    signs, scaled = np.where(x >= 0, 1.0, -1.0), weights_as_they_count(weights, "1")

    def value(signs, scaled):
        return float((direct(signs, scaled, node, int(pad)) * dy).sum())

    base = value(signs, scaled)
    for at in [(0, 0), (3, 20), (FILTERS - 1, scaled.shape[1] - 1)]:
        moved = scaled.copy()
        moved[at] += 1
        expected = (value(signs, moved) - base) * (abs(weights["weight"][at]) <= 1)
        assert expected == pytest.approx(float(grad[at]), abs=2e-3)
    for at in [(0, 0, 0, 0), (1, 2, 3, 4), (N - 1, 4, 6, 5)]:
        moved = signs.copy()
        moved[at] += 1
        expected = (value(moved, scaled) - base) * (abs(x[at]) <= 1)
        assert expected == pytest.approx(float(dx[at]), abs=2e-3)


@pytest.mark.parametrize("pad", ["-1", "0"])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(
    ("family", "key", "width"),
    [(f, o.key, w) for f in FAMILIES for o in f.all() for w in ("1", "4") if o.key in f.serving(w)],
)
def test_what_ships_is_what_trained_with_every_quantizer(family, key, width, groups, pad):
    name = "weight_quantizer" if family is WEIGHT_QUANTIZERS else "activation_quantizer"
    widths = {"weight_bits": width, "activation_bits": width, name: key}
    node, spec, weights = made(**widths, groups=groups, pad_value=pad)
    x = reals(spec.shape)
    operator = node.operator(weights, N, spec)
    operator.moment = Moment(learning=False)
    (trained,) = operator.execute(x)
    packed = node.pack(weights, spec)
    (shipped,) = node.predictor(packed, spec)(x)
    assert np.allclose(trained, shipped, atol=1e-3)
    size = sum(a.nbytes for a in packed.values()) * 8
    assert node.cost(spec).weight_bits == size


def test_a_stage_without_quantizing_trains_floats():
    node, spec, weights = made(activation_bits="1", pad_value="0")
    x = reals(spec.shape)
    operator = node.operator(weights, N, spec)
    operator.moment = Moment(weights=False, activations=False)
    (y,) = operator.execute(x)
    expected = direct(np.clip(x, -1, 1).astype(np.float64), weights["weight"].astype(np.float64), node, 0)
    assert np.allclose(y, expected + weights["bias"], atol=1e-4)
    (dx,) = operator.gradient(np.ones_like(y))
    assert not dx[np.abs(x) > 1].any()
    assert dx[np.abs(x) <= 1].any()


def test_a_batch_in_pieces_gives_what_it_gives_whole():
    node, spec, weights = made(activation_bits="1")
    x = reals(spec.shape)
    results = []
    for piece in (1, 2, 1000):
        operator = node.operator(weights, N, spec)
        operator._trained._patches.piece = piece
        (y,) = operator.execute(x)
        (dx,) = operator.gradient(np.ones_like(y))
        results.append((y.copy(), dx.copy(), operator.parameters()[0].grad.copy()))
    for again in results[1:]:
        for one, other in zip(results[0], again, strict=True):
            assert np.allclose(one, other, atol=1e-4)


def test_one_channel_needs_no_axis():
    flat, whole = Spec("real", (6, 5)), Spec("real", (6, 5, 1))
    node, _, weights = made(spec=flat, weight_bits="32")
    x = reals((6, 5))
    (a,) = node.predictor(node.pack(weights, flat), flat)(x)
    (b,) = node.predictor(node.pack(weights, whole), whole)(x[..., None])
    assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize(
    ("node", "shape", "words"),
    [
        (Conv2d(), (70,), "It takes maps"),
        (Conv2d(padding="valid", kernel=5), (8, 4, 3), "does not fit into 8 × 4"),
        (Conv2d(groups=5), (8, 8, 3), "5 groups do not divide 3 channels in"),
        (Conv2d(groups=3), (8, 8, 3), "3 groups do not divide 32 filters"),
    ],
)
def test_what_does_not_fit_is_said(node, shape, words):
    with pytest.raises(ShapeError, match=words) as caught:
        node.specs(Spec("real", shape))
    assert caught.value.port or caught.value.parameter


def test_the_work_is_counted_for_every_position():
    cost = Conv2d(filters=64).cost(Spec("bits", (14, 14, 32), "1", low=-1))
    assert cost.work[0].count == 14 * 14 * 9 * 32 * 64
    assert (cost.work[0].weight, cost.work[0].activation) == ("1", "1")


@pytest.mark.parametrize("dims", LAYERS)
@pytest.mark.parametrize("width", ["1", "ternary", "4", "32"])
def test_a_row_of_the_weight_map_is_the_kernel_of_a_filter(dims, width):
    spec = Spec("real", SHAPES[dims])
    node = LAYERS[dims](filters=FILTERS, groups=2, kernel=2, weight_bits=width)
    weights = node.start(np.random.default_rng(0), spec)
    levels, kernel = node.weight_levels(node.pack(weights, spec)), node.kernel_shape(spec)
    assert kernel == (*[2] * dims, 3)
    assert weights["weight"].shape == (FILTERS, np.prod(kernel))
    shown = levels[:, : np.prod(kernel)]
    if width == "1":
        assert (shown == np.where(weights["weight"] >= 0, 1, -1)).all()
    else:
        assert (np.sign(shown) * np.sign(weights["weight"]) >= 0).all()
