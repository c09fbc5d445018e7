"""Separable convolutions, the input scale of XNOR-Net, learned scales, upsampling: against NumPy."""

from dataclasses import replace

import numpy as np
import pytest
from gradients import assert_gradients
from maps import packed_signs, windows

from engine.bnn.conv import Conv1d, Conv2d, Conv3d
from engine.bnn.conv_separable import SeparableConv
from engine.bnn.rescale import FORMS, Rescale
from engine.bnn.upsample import Upsample
from engine.node import Moment, ShapeError
from engine.ports import Spec

N = 3


def reals(shape, seed=1):
    return np.random.default_rng(seed).standard_normal((N, *shape)).astype(np.float32)


def shipped(node, spec, x, weights=None):
    weights = node.start(np.random.default_rng(0), spec) if weights is None else weights
    return node.predictor(node.pack(weights, spec), spec)(x)[0]


@pytest.mark.parametrize(("axes", "shape"), [("1", (9, 4)), ("2", (5, 6, 4)), ("3", (3, 4, 5, 2))])
@pytest.mark.parametrize("bits", ["1", "4", "32"])
def test_a_separable_layer_is_its_two_parts(axes, shape, bits):
    widths = {"weight_bits": bits, "activation_bits": bits, "between_bits": bits}
    node, spec, x = SeparableConv(filters=5, axes=axes, stride=2, **widths), Spec("real", shape), reals(shape)
    weights = node.start(np.random.default_rng(0), spec)
    operator = node.operator(weights, N, spec)
    (trained,) = operator.execute(x)
    y = shipped(node, spec, x, weights)
    assert y.shape[1:] == node.specs(spec)[0].shape
    assert np.allclose(trained, y, atol=1e-4)
    first, second = node.parts
    parts = [
        {k.split("_", 1)[1]: v for k, v in weights.items() if k.startswith(p)} for p in ("depth", "point")
    ]
    between = shipped(first, spec, x, parts[0])
    assert y.tobytes() == shipped(second, first.specs(spec)[0], between, parts[1]).tobytes()
    assert {p.name for p in operator.parameters()} <= set(weights)
    size = 8 * sum(a.nbytes for a in node.pack(weights, spec).values())
    assert node.cost(spec).weight_bits == size


@pytest.mark.parametrize(("given", "between", "second"), [("8", "32", "standard"), ("4", "8", "pact")])
def test_what_goes_between_has_the_quantizer_of_the_activations_where_that_serves_it(given, between, second):
    node = SeparableConv(activation_bits=given, activation_quantizer="pact", between_bits=between)
    assert [part.values()["activation_quantizer"] for part in node.parts] == ["pact", second]
    assert node.specs(Spec("real", (5, 6, 4)))[0].shape == (5, 6, 32)


def test_gradients_pass_both_parts():
    widths = {"weight_bits": "32", "activation_bits": "32"}
    assert_gradients(SeparableConv(filters=3, **widths), (Spec("real", (4, 5, 2)),), [reals((4, 5, 2))])


@pytest.mark.parametrize(
    ("kind", "shape"), [(Conv1d, (9, 4)), (Conv2d, (5, 6, 4)), (Conv2d, (5, 6)), (Conv3d, (3, 4, 5, 2))]
)
@pytest.mark.parametrize("case", [{}, {"stride": 2}, {"padding": "valid"}, {"dilation": 2}])
def test_the_input_scale_is_that_of_xnor_net(kind, shape, case):
    spec, x = Spec("real", shape), reals(shape)
    node = kind(filters=3, activation_bits="1", input_scale="mean", **case)
    weights = node.start(np.random.default_rng(0), spec)
    weights["bias"][:] = (1, 2, 3)
    maps = x if len(shape) > kind.dims else x[..., None]
    sizes = np.abs(maps).mean(axis=-1, keepdims=True)
    given = (node.kernel, node.stride, node.dilation, node.padding)
    scales = [seen.mean(axis=tuple(range(1, seen.ndim))) for _, _, seen in windows(sizes, *given)]
    plain = shipped(replace(node, input_scale="none", bias=False), spec, x, weights)
    factor = np.stack(scales, axis=1).reshape(*plain.shape[:-1], 1)
    (trained,) = node.operator(weights, N, spec).execute(x)
    assert np.allclose(shipped(node, spec, x, weights), plain * factor + [1, 2, 3], atol=1e-5)
    assert np.allclose(trained, plain * factor + [1, 2, 3], atol=1e-5)


def test_the_gradient_goes_through_signs_and_sizes():
    spec, x = Spec("real", (4, 5, 3)), reals((4, 5, 3))
    node = Conv2d(filters=2, activation_bits="1", input_scale="mean", estimator="identity")
    weights = node.start(np.random.default_rng(0), spec)
    operator = node.operator(weights, N, spec)
    (y,) = operator.execute(x)
    dy = reals(y.shape[1:], 3)
    (dx,) = operator.gradient(dy)
    plain = replace(node, input_scale="none", bias=False)
    raw = shipped(plain, spec, x, weights).astype(np.float64)
    inner = plain.operator(weights, N, spec)
    inner.execute(x)

    def scale(x):
        sizes = np.abs(x).mean(axis=-1, keepdims=True)
        return np.stack([s.mean(axis=(1, 2, 3)) for *_, s in windows(sizes, 3)], axis=1).reshape(N, 4, 5, 1)

    (straight,) = inner.gradient((dy * scale(x)).astype(np.float32))
    for at in [(0, 0, 0, 0), (1, 2, 3, 1), (2, 3, 4, 2)]:
        up, down = x.astype(np.float64), x.astype(np.float64)
        up[at] += 1e-4
        down[at] -= 1e-4
        by_size = ((scale(up) - scale(down)) * raw * dy).sum() / 2e-4
        assert float(dx[at]) == pytest.approx(float(straight[at]) + by_size, abs=1e-3)


def test_an_input_scale_wants_real_numbers_taken_by_sign():
    for node, spec in (
        (Conv2d(input_scale="mean", activation_bits="1"), Spec("bits", (4, 4, 2), "1", low=-1)),
        (Conv2d(input_scale="mean", activation_bits="4"), Spec("real", (4, 4, 2))),
    ):
        with pytest.raises(ShapeError, match="An input scale is of real numbers"):
            node.specs(spec)


def test_a_stage_of_float_activations_has_no_input_scale():
    spec, x = Spec("real", (4, 5, 3)), 0.3 * reals((4, 5, 3))
    node = Conv2d(filters=2, activation_bits="1", input_scale="mean", pad_value="0")
    weights = node.start(np.random.default_rng(0), spec)
    outs = []
    for made in (node, replace(node, input_scale="none")):
        operator = made.operator(weights, N, spec)
        operator.moment = Moment(activations=False)
        outs.append(operator.execute(x)[0])
    assert np.allclose(*outs)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", [(5,), (4, 3), (2, 3, 4)])
def test_learned_scales_are_products_of_their_factors(form, shape):
    node, spec, x = Rescale(form=form), Spec("real", shape), reals(shape)
    weights = node.start(np.random.default_rng(0), spec)
    assert (shipped(node, spec, x, weights) == x).all()
    rng, whole = np.random.default_rng(1), 1.0
    for array in weights.values():
        array[:] = rng.uniform(0.5, 2, array.shape)
        whole = whole * array
    assert np.allclose(shipped(node, spec, x, weights), x * whole, rtol=1e-5)
    assert_gradients(node, (spec,), [x], weights=weights)
    counts = {"channel": shape[-1], "whole": np.prod(shape)}
    if form in counts:
        assert sum(a.size for a in weights.values()) == counts[form]


@pytest.mark.parametrize(
    ("axes", "shape"), [("1", (5, 4)), ("2", (3, 4, 33)), ("2", (3, 4)), ("3", (2, 3, 2, 5))]
)
@pytest.mark.parametrize("factor", [1, 2, 3])
def test_upsampling_repeats_every_element(axes, shape, factor):
    node, x = Upsample(factor=factor, axes=axes), reals(shape)
    expected = x
    for axis in range(1, 1 + int(axes)):
        expected = np.repeat(expected, factor, axis=axis)
    spec = Spec("real", shape)
    assert (shipped(node, spec, x) == expected).all()
    assert node.specs(spec)[0].shape == expected.shape[1:]
    bits = Spec("bits", shape, "1", low=-1)
    assert (shipped(node, bits, packed_signs(x)) == packed_signs(expected)).all()
    assert_gradients(node, (spec,), [x])
