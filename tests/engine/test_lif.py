"""The LIF layer: prediction, training forward, and back-propagation through time against a plain twin."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.levels import latent_gradient, quantize_weights
from engine.losses import cross_entropy
from engine.ports import Spec
from engine.precision import PRECISIONS
from engine.snn.lif import RESETS, LifLayer
from engine.snn.readout import SpikeCounter


def made(node, steps, inputs, seed=0):
    spec = Spec("spikes", (steps, inputs))
    weights = node.start(np.random.default_rng(seed), spec)
    weights["weight"] *= np.float32(4)
    weights["bias"][:] = np.random.default_rng(seed).normal(0, 0.3, node.units) if node.bias else 0
    return spec, weights


def spikes_of(seed, n, steps, inputs):
    return (np.random.default_rng(seed).random((n, steps, inputs)) < 0.4).astype(np.uint8)


def forward(node, weights, x):
    """Return potential and spikes by the layer's equation, in float64."""
    quantized = quantize_weights(weights["weight"], node.weight_bits)
    w = quantized.values.astype(np.float64) * quantized.scale[:, None]
    u = s = np.zeros((len(x), node.units))
    potentials, spikes = [], []
    for t in range(x.shape[1]):
        reset = node.threshold * s if node.reset == "subtract" else node.beta * u * s
        u = node.beta * u + x[:, t] @ w.T + weights["bias"] - reset
        s = (u >= node.threshold).astype(float)
        potentials.append(u)
        spikes.append(s)
    return w, np.stack(potentials, 1), np.stack(spikes, 1)


def arctan_slope(x, k):
    return k / 2 / (1 + (np.pi / 2 * k * x) ** 2)


def backward(node, weights, x, grad):
    """Return gradients of input, weight and bias, with the reset held constant, in float64."""
    w, potential, spikes = forward(node, weights, x)
    slope = arctan_slope(potential - node.threshold, node.slope)
    d_x, d_w, d_b = np.zeros(x.shape), np.zeros(w.shape), np.zeros(node.units)
    d_u = np.zeros((len(x), node.units))
    for t in reversed(range(x.shape[1])):
        kept = 1 - spikes[:, t] if node.reset == "zero" else 1
        d_u = grad[:, t] * slope[:, t] + node.beta * kept * d_u
        d_x[:, t] = d_u @ w
        d_w += d_u.T @ x[:, t]
        d_b += d_u.sum(0)
    return d_x, d_w, d_b


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 6),
    st.integers(1, 8),
    st.integers(1, 80),
    st.integers(1, 9),
    st.sampled_from(list(RESETS)),
    st.sampled_from(["1", "ternary", "4", "32"]),
)
def test_gradients_equal_back_propagation_through_time_by_hand(seed, n, steps, k, m, reset, bits):
    node = LifLayer(units=m, weight_bits=bits, reset=reset, beta=0.85, surrogate="arctan", slope=1.5)
    spec, weights = made(node, steps, k, seed)
    x = spikes_of(seed, n, steps, k)
    operator = node.operator(weights, n + 2, spec)
    (out,) = operator.execute(x)
    np.testing.assert_array_equal(out, forward(node, weights, x)[2])
    grad = np.random.default_rng(seed).normal(size=out.shape).astype(np.float32)
    (d_x,) = operator.gradient(grad)
    want_x, want_w, want_b = backward(node, weights, x, grad)
    got = {p.name: p.grad for p in operator.parameters()}
    np.testing.assert_allclose(d_x, want_x, atol=2e-4)
    np.testing.assert_allclose(got["bias"], want_b, atol=2e-4)
    want_latent = latent_gradient(weights["weight"], want_w.astype(np.float32), bits)
    np.testing.assert_allclose(got["weight"], want_latent, atol=2e-4)


@pytest.mark.parametrize("bits", list(PRECISIONS))
def test_a_shipped_layer_spikes_as_in_training_alone_or_in_a_batch(bits):
    node = LifLayer(units=37, weight_bits=bits)
    spec, weights = made(node, 6, 75)
    x = spikes_of(1, 13, 6, 75)
    trained = node.operator(weights, 13, spec).execute(x)[0]
    packed = node.pack(weights, spec)
    predict = node.predictor(packed, spec)
    assert 0.02 < trained.mean() < 0.9
    np.testing.assert_array_equal(predict(x)[0], trained)
    assert np.concatenate([predict(row[None])[0] for row in x]).tobytes() == trained.tobytes()
    assert node.cost(spec).weight_bits == 8 * sum(a.nbytes for a in packed.values())
    levels = node.weight_levels(packed)[:, :75]
    np.testing.assert_allclose(levels, quantize_weights(weights["weight"], bits).values)


def test_a_lone_neuron_fires_and_keeps_what_is_over():
    node = LifLayer(units=1, beta=0.5, threshold=1.0, bias=False)
    spec, weights = Spec("spikes", (4, 1)), {"weight": np.float32([[0.75]]), "bias": np.zeros(1, np.float32)}
    x = np.ones((1, 4, 1), np.uint8)
    spikes = {}
    for reset in RESETS:
        layer = LifLayer(units=1, beta=0.5, reset=reset, bias=False)
        spikes[reset] = layer.predictor(layer.pack(weights, spec), spec)(x)[0][0, :, 0].tolist()
    # subtract: 0.75, 1.125 (fires), 0.3125, 0.90625; zero: 0.75, 1.125 (fires), 0.75, 1.125 (fires)
    assert spikes == {"subtract": [0, 1, 0, 0], "zero": [0, 1, 0, 1]}
    assert [p.name for p in node.operator(weights, 1, spec).parameters()] == ["weight"]


def test_metrics_tell_rate_and_silence():
    node = LifLayer(units=2, bias=False)
    spec, weights = (
        Spec("spikes", (5, 1)),
        {"weight": np.float32([[2], [-2]]), "bias": np.zeros(2, np.float32)},
    )
    operator = node.operator(weights, 3, spec)
    assert operator.metrics() == {}
    operator.execute(np.ones((3, 5, 1), np.uint8))
    assert operator.metrics() == {"spike rate": pytest.approx(0.5), "silent neurons": pytest.approx(0.5)}


@pytest.mark.parametrize("bits", ["1", "ternary", "32"])
def test_a_small_network_learns_which_half_fires(bits):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 200)
    rates = np.where(np.arange(40)[None] // 20 == labels[:, None], 0.4, 0.1)
    x = (rng.random((200, 8, 40)) < rates[:, None]).astype(np.uint8)
    node, count = LifLayer(units=2, weight_bits=bits), SpikeCounter()
    spec = Spec("spikes", (8, 40))
    weights = node.start(rng, spec)
    operator, counter = node.operator(weights, 200, spec), count.operator({}, 200, Spec("spikes", (8, 2)))
    for _ in range(60):
        (scores,) = counter.execute(*operator.execute(x))
        _, grad = cross_entropy(scores, labels)
        operator.gradient(*counter.gradient(grad))
        for p in operator.parameters():
            p.value -= np.float32(0.02) * np.sign(p.grad)
    (scores,) = count.predictor({}, Spec("spikes", (8, 2)))(
        *node.predictor(node.pack(weights, spec), spec)(x)
    )
    assert (scores.argmax(1) == labels).mean() > 0.95
