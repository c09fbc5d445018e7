"""Depthwise, transposed and locally connected layers against plain loops, forward and backward."""

from itertools import product

import numpy as np
import pytest
from gradients import assert_gradients
from maps import as_it_counts, packed_signs, weights_as_they_count, windows

from engine.bnn.activations import ACTIVATION_QUANTIZERS
from engine.bnn.conv_depthwise import DepthwiseConv
from engine.bnn.conv_local import LocalConv
from engine.bnn.conv_transposed import TransposedConv
from engine.bnn.product import Activation, way
from engine.bnn.weights import WEIGHT_QUANTIZERS
from engine.node import Moment, ShapeError
from engine.ports import Spec
from engine.precision import PRECISIONS

N = 3
SHAPES = {"1": (9, 4), "2": (5, 6, 4), "3": (3, 4, 5, 2)}
FAMILIES = (WEIGHT_QUANTIZERS, ACTIVATION_QUANTIZERS)


def depthwise(x, w, node, value):
    made = None
    for place, out, seen in windows(x, node.kernel, node.stride, node.dilation, node.padding, value):
        made = np.zeros((len(x), *out, len(w))) if made is None else made
        taps = seen.reshape(len(x), -1, x.shape[-1])
        for o, row in enumerate(w):
            made[(slice(None), *place, o)] = taps[:, :, o // node.multiplier] @ row
    return made


def local(x, w, node, value):
    made = None
    for i, (place, out, seen) in enumerate(windows(x, node.kernel, node.stride, 1, node.padding, value)):
        made = np.zeros((len(x), *out, node.filters)) if made is None else made
        mine = w[i * node.filters : (i + 1) * node.filters]
        made[(slice(None), *place)] = seen.reshape(len(x), -1) @ mine.T
    return made


def transposed(x, w, node, value):
    dims, k, s = x.ndim - 2, node.kernel, node.stride
    cube = w.reshape(node.filters, *[k] * dims, x.shape[-1])
    full = np.zeros((len(x), *((n - 1) * s + max(k, s) for n in x.shape[1:-1]), node.filters))
    for place in product(*map(range, x.shape[1:-1])):
        for tap in product(*[range(k)] * dims):
            at = tuple(p * s + t for p, t in zip(place, tap, strict=True))
            full[(slice(None), *at)] += x[(slice(None), *place)] @ cube[(slice(None), *tap)].T
    if node.padding == "same":
        cut = [((n - 1) * s + k - n * s) for n in x.shape[1:-1]]
        ends = [(max(0, c) // 2, n * s) for c, n in zip(cut, x.shape[1:-1], strict=True)]
        full = full[(slice(None), *(slice(b, b + n) for b, n in ends))]
    return full


KINDS = {DepthwiseConv: depthwise, LocalConv: local, TransposedConv: transposed}
every_kind = pytest.mark.parametrize("kind", KINDS)
CASES = [{}, {"stride": 2}, {"kernel": 2, "stride": 3}, {"padding": "valid"}, {"kernel": 1}]


def made(kind, axes="2", spec=None, **fields):
    spec = spec or Spec("real", SHAPES[axes])
    fields |= {} if kind is DepthwiseConv else {"filters": 5}
    node = kind(axes=axes, **fields)
    weights = node.start(np.random.default_rng(0), spec)
    weights["weight"] *= 3
    weights["bias"][:] = np.linspace(-1, 1, len(weights["bias"]))
    if "step" in weights:
        weights["step"][0] = 0.21
    return node, spec, weights


def reals(shape, seed=1):
    return np.random.default_rng(seed).standard_normal((N, *shape)).astype(np.float32)


def both_ways(node, spec, weights, x):
    (trained,) = node.operator(weights, N, spec).execute(x)
    (shipped,) = node.predictor(node.pack(weights, spec), spec)(x)
    assert trained.shape == shipped.shape == (N, *node.specs(spec)[0].shape)
    return trained, shipped


def expected(node, x, weights, width, value=0):
    products = KINDS[type(node)](x, weights_as_they_count(weights, width), node, value)
    flat = products.reshape(-1, len(weights["bias"])) + weights["bias"]
    return flat.reshape(products.shape)


@every_kind
@pytest.mark.parametrize("weight", PRECISIONS)
@pytest.mark.parametrize("activation", PRECISIONS)
def test_a_layer_is_what_it_says_at_every_pair_of_widths(kind, weight, activation):
    node, spec, weights = made(kind, weight_bits=weight, activation_bits=activation, pad_value="1")
    x = reals(spec.shape)
    pad = 1 if PRECISIONS[activation].binary else 0
    trained, shipped = both_ways(node, spec, weights, x)
    assert np.allclose(shipped, expected(node, as_it_counts(x, activation), weights, weight, pad), atol=1e-3)
    assert np.allclose(trained, shipped, atol=1e-4)
    if way(PRECISIONS[weight], Activation.of(spec, activation)) != "floats":
        assert trained.tobytes() == shipped.tobytes()


@every_kind
@pytest.mark.parametrize("axes", SHAPES)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("widths", [("1", "1"), ("32", "32")])
def test_strides_and_padding_on_one_to_three_axes(kind, axes, case, widths):
    fields = {"weight_bits": widths[0], "activation_bits": widths[1], "pad_value": "0"}
    node, spec, weights = made(kind, axes, **fields, **case)
    x = reals(spec.shape)
    wanted = expected(node, as_it_counts(x, widths[1]), weights, widths[0])
    for y in both_ways(node, spec, weights, x):
        assert np.allclose(y, wanted, atol=1e-3)


@every_kind
@pytest.mark.parametrize("pad", ["-1", "0", "1"])
def test_a_packed_map_is_taken_as_it_comes(kind, pad):
    spec = Spec("bits", (5, 4, 3), "1", low=-1)
    node, spec, weights = made(kind, spec=spec, pad_value=pad)
    x = reals(spec.shape)
    wanted = expected(node, np.where(x >= 0, 1.0, -1.0), weights, "1", int(pad))
    trained, shipped = both_ways(node, spec, weights, packed_signs(x))
    assert np.allclose(shipped, wanted, atol=1e-3)
    assert trained.tobytes() == shipped.tobytes()


@pytest.mark.parametrize("case", [{"multiplier": 3}, {"dilation": 2}, {"multiplier": 2, "stride": 2}])
def test_depthwise_multipliers_and_dilation(case):
    node, spec, weights = made(DepthwiseConv, weight_bits="32", **case)
    x = reals(spec.shape)
    for y in both_ways(node, spec, weights, x):
        assert np.allclose(y, expected(node, x.astype(np.float64), weights, "32"), atol=1e-4)
    assert_gradients(node, (spec,), [x], weights=weights)


@every_kind
@pytest.mark.parametrize("axes", SHAPES)
@pytest.mark.parametrize("case", CASES)
def test_gradients_at_width_32_pass_finite_differences(kind, axes, case):
    node, spec, weights = made(kind, axes, weight_bits="32", **case)
    assert_gradients(node, (spec,), [reals(spec.shape)], weights=weights)


@every_kind
@pytest.mark.parametrize(
    ("family", "key", "width"),
    [(f, o.key, w) for f in FAMILIES for o in f.all() for w in ("1", "4") if o.key in f.serving(w)],
)
def test_what_ships_is_what_trained_with_every_quantizer(kind, family, key, width):
    name = "weight_quantizer" if family is WEIGHT_QUANTIZERS else "activation_quantizer"
    node, spec, weights = made(kind, weight_bits=width, activation_bits=width, **{name: key})
    if kind is TransposedConv and node.taken(spec, weights).offset is not None:
        with pytest.raises(ShapeError, match="has an offset"):
            node.specs(spec)
        return
    x = reals(spec.shape)
    operator = node.operator(weights, N, spec)
    operator.moment = Moment(learning=False)
    (trained,) = operator.execute(x)
    packed = node.pack(weights, spec)
    assert np.allclose(trained, node.predictor(packed, spec)(x)[0], atol=1e-3)
    assert node.cost(spec).weight_bits == 8 * sum(a.nbytes for a in packed.values())


def test_a_transposed_layer_is_the_way_back_of_a_convolution():
    node, spec, _ = made(TransposedConv, stride=2)
    assert node.specs(spec)[0].shape == (10, 12, 5)
    assert node.cost(spec).work[0].count == 5 * 6 * 9 * 4 * 5
