"""bnn/dense.py: every pair of widths, forward against NumPy and backward against its formulas."""

import numpy as np
import pytest

from engine.bnn.activations import ACTIVATION_QUANTIZERS
from engine.bnn.dense import Dense
from engine.bnn.product import Activation, way
from engine.bnn.weights import WEIGHT_QUANTIZERS
from engine.kernels.estimators import ESTIMATORS
from engine.levels import quantize_weights
from engine.node import ShapeError
from engine.ports import Spec, words_for
from engine.precision import PRECISIONS

every_weight = pytest.mark.parametrize("weight", PRECISIONS)
every_activation = pytest.mark.parametrize("activation", PRECISIONS)
K, M, N = 70, 13, 9


def made(weight, activation, spec=None, **fields):
    spec = spec or Spec("real", (K,))
    node = Dense(units=M, weight_bits=weight, activation_bits=activation, **fields)
    weights = node.start(np.random.default_rng(0), spec)
    weights["weight"] *= 3
    weights["bias"][:] = np.linspace(-1, 1, M)
    if "step" in weights:
        weights["step"][0] = 0.21
    return node, spec, weights


def reals(seed=1):
    return np.random.default_rng(seed).standard_normal((N, K)).astype(np.float32)


def as_it_counts(x, activation, step=0.21):
    row = PRECISIONS[activation]
    if row.binary:
        return np.where(x >= 0, 1.0, -1.0)
    if row.store == "planes":
        return step * np.clip(np.rint(x / np.float32(step)), row.low, row.high)
    return x.astype(np.float16 if row.store == "half" else np.float32).astype(np.float64)


@every_weight
@every_activation
def test_prediction_is_scale_times_levels_plus_bias(weight, activation):
    node, spec, weights = made(weight, activation)
    x = reals()
    (y,) = node.predictor(node.pack(weights, spec), spec)(x)
    q = quantize_weights(weights["weight"], weight)
    expected = (
        as_it_counts(x, activation) @ (q.values * q.scale[:, None]).T.astype(np.float64) + weights["bias"]
    )
    assert np.allclose(y, expected, atol=2e-4)


@every_weight
@every_activation
def test_training_forward_agrees_with_prediction(weight, activation):
    node, spec, weights = made(weight, activation)
    x = reals()
    (trained,) = node.operator(weights, N, spec).execute(x)
    (shipped,) = node.predictor(node.pack(weights, spec), spec)(x)
    assert np.allclose(trained, shipped, atol=1e-4)
    whole = way(PRECISIONS[weight], Activation.of(spec, activation)) != "floats"
    if whole:
        assert trained.tobytes() == shipped.tobytes()


@every_weight
@pytest.mark.parametrize("given", ["1", "2", "4", "8", "ternary", "16"])
def test_a_bits_wire_keeps_its_own_width(weight, given):
    row = PRECISIONS[given]
    signed = row.low == -1
    high = 1 if signed else row.high - row.low
    if row.is_float:
        spec = Spec("bits", (K,), given)
        x = reals().astype(np.float16).astype(np.float32)
        values = x
    elif row.binary:
        spec = Spec("bits", (K,), "1", low=-1)
        bits = np.zeros((N, words_for(K) * 64), np.uint8)
        bits[:, :K] = reals() >= 0
        x = np.packbits(bits, axis=1, bitorder="little").view(np.uint64)
        values = np.where(reals() >= 0, 1.0, -1.0)
    else:
        spec = Spec("bits", (K,), given, step=1 / high, low=-1 if signed else 0)
        x = np.random.default_rng(2).integers(spec.low, high + 1, (N, K)).astype(np.int16)
        values = x / high
    node, spec, weights = made(weight, "32", spec)
    q = quantize_weights(weights["weight"], weight)
    expected = values @ (q.values * q.scale[:, None]).T.astype(np.float64) + weights["bias"]
    operator = node.operator(weights, N, spec)
    for y in (node.predictor(node.pack(weights, spec), spec)(x)[0], operator.execute(x)[0]):
        assert np.allclose(y, expected, atol=1e-3)
    dy = reals(3)[:, :M].copy()
    (dx,) = operator.gradient(dy)
    assert np.allclose(dx, dy @ (q.values * q.scale[:, None]), atol=1e-3)
    grads = {p.name: p.grad for p in operator.parameters()}
    if row.is_float or row.binary:
        assert np.allclose(grads["bias"], dy.sum(0), atol=1e-4)


def test_the_float_layer_passes_finite_differences():
    node, spec, weights = made("32", "32")
    x, dy = reals(), reals(3)[:, :M].copy()
    operator = node.operator(weights, N, spec)
    operator.execute(x)
    (dx,) = operator.gradient(dy)
    grads = {p.name: p.grad.copy() for p in operator.parameters()}

    def value():
        return float((operator.execute(x)[0].astype(np.float64) * dy).sum())

    for array, grad in ((weights["weight"], grads["weight"]), (weights["bias"], grads["bias"]), (x, dx)):
        for at in ((0,) * array.ndim, tuple(s - 1 for s in array.shape)):
            before = array[at]
            array[at] = before + 0.05
            up = value()
            array[at] = before - 0.05
            down = value()
            array[at] = before
            assert (up - down) / 0.1 == pytest.approx(float(grad[at]), abs=2e-2)


@every_weight
def test_weight_gradients_are_the_estimators(weight):
    node, spec, weights = made(weight, "32")
    x, dy = reals(), reals(3)[:, :M].copy()
    operator = node.operator(weights, N, spec)
    operator.execute(x)
    operator.gradient(dy)
    grad = next(p.grad for p in operator.parameters() if p.name == "weight")
    row, w = PRECISIONS[weight], weights["weight"]
    scale = quantize_weights(w, weight).scale[:, None]
    inside = np.abs(w) <= 1
    if row.is_float:
        inside = np.ones_like(w, bool)
    elif row.low < -1:
        inside = (w >= (row.low - 0.5) * scale) & (w <= (row.high + 0.5) * scale)
    assert np.allclose(grad, (dy.T @ x) * inside, atol=1e-4)


@pytest.mark.parametrize(
    ("estimator", "formula"),
    [
        ("identity", np.ones_like),
        ("clipped", lambda x: (np.abs(x) <= 1).astype(np.float64)),
        ("approx_sign", lambda x: np.maximum(0, 2 - 2 * np.abs(x))),
        ("swish_sign", lambda x: 5 * (2 - 5 * x * np.tanh(2.5 * x)) / (1 + np.cosh(5 * x))),
    ],
)
def test_input_gradients_at_one_bit_follow_the_estimator(estimator, formula):
    node, spec, weights = made("1", "1", estimator=estimator)
    x, dy = reals(), reals(3)[:, :M].copy()
    operator = node.operator(weights, N, spec)
    operator.execute(x)
    (dx,) = operator.gradient(dy)
    q = quantize_weights(weights["weight"], "1")
    expected = (dy @ (q.values * q.scale[:, None])) * formula(x.astype(np.float64))
    assert np.allclose(dx, expected, atol=1e-3)


@pytest.mark.parametrize("activation", ["2", "4", "8", "ternary"])
def test_the_learned_step_has_the_gradient_of_lsq(activation):
    node, spec, weights = made("32", activation)
    x, dy = reals(), reals(3)[:, :M].copy()
    operator = node.operator(weights, N, spec)
    operator.execute(x)
    (dx,) = operator.gradient(dy)
    row, v = PRECISIONS[activation], x / np.float32(0.21)
    d_values = dy @ weights["weight"]
    slope = np.where(v <= row.low, row.low, np.where(v >= row.high, row.high, np.rint(v) - v))
    grads = {p.name: p.grad for p in operator.parameters()}
    assert grads["step"][0] == pytest.approx((d_values * slope).sum() / np.sqrt(K * row.high), rel=1e-3)
    assert np.allclose(dx, np.where((v <= row.low) | (v >= row.high), 0, d_values), atol=1e-3)


def test_the_step_starts_from_the_first_batch():
    node, spec, weights = made("8", "8")
    weights["step"][0] = 0
    x = reals()
    node.operator(weights, N, spec).execute(x)
    assert weights["step"][0] == pytest.approx(2 * np.abs(x).mean() / np.sqrt(127), rel=1e-5)


def test_an_image_is_refused_with_what_to_do():
    with pytest.raises(ShapeError, match=r"It takes flat records; these are real 8 × 8\. Insert a Flatten\."):
        Dense().specs(Spec("real", (8, 8)))


def test_a_quantizer_that_does_not_serve_the_width_is_refused_with_those_that_do(monkeypatch):
    monkeypatch.setattr(ACTIVATION_QUANTIZERS.make("standard"), "serves", ("2", "4"))
    spec = Spec("real", (8,))
    words = r"The activation quantizer 'Standard of the width' does not serve 1 bit\. Choose one that does: "
    with pytest.raises(ShapeError, match=words) as caught:
        Dense(activation_bits="1").specs(spec)
    assert caught.value.parameter == "activation_quantizer"
    assert Dense(activation_bits="4").specs(spec)
    assert Dense(activation_bits="1").specs(Spec("bits", (8,), "1", low=-1))


def test_the_form_offers_the_quantizers_that_serve_the_width():
    for width in PRECISIONS:
        layer = Dense(weight_bits=width, activation_bits=width)
        for name, family in (("weight", WEIGHT_QUANTIZERS), ("activation", ACTIVATION_QUANTIZERS)):
            offered = Dense.about()[f"{name}_quantizer"].offered(layer)
            assert set(offered) == {o.key for o in family.all() if width in o.serves}
            assert "standard" in offered
    assert Dense.about()["estimator"].offered(Dense()) == dict(ESTIMATORS)
