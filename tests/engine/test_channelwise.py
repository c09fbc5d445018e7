"""Layers that work channel by channel, against plain NumPy, finite differences, and their shipped forms."""

import numpy as np
import pytest
from gradients import assert_gradients

from engine.bnn.activation import FUNCTIONS, Activation
from engine.bnn.dropout import Dropout
from engine.bnn.duplicate import Duplicate
from engine.bnn.maxout import Maxout
from engine.bnn.prelu import PReLU
from engine.bnn.rprelu import RPReLU
from engine.bnn.rsign import RSign
from engine.bnn.scale_bias import ScaleBias
from engine.bnn.shuffle import ChannelShuffle
from engine.bnn.tensor_norm import TensorNorm
from engine.convert import bits_as_real
from engine.flow.multiply import Multiply
from engine.node import Moment, ShapeError
from engine.ports import Spec

MAP = Spec("real", (3, 4, 6))
N = 5


@pytest.fixture
def x():
    """Numbers at least 0.05 from every multiple of 0.5, where functions bend."""
    rng = np.random.default_rng(0)
    return (rng.integers(-4, 4, (N, *MAP.shape)) * 0.5 + rng.uniform(0.05, 0.45, (N, *MAP.shape))).astype(
        np.float32
    )


def learned(node, seed=1):
    rng = np.random.default_rng(seed)
    weights = node.start(rng, MAP)
    for name, w in weights.items():
        weights[name] = w + rng.integers(-1, 2, w.shape).astype(np.float32) * np.float32(0.5)
    return weights


def both(node, weights, x, spec=MAP):
    """What it gives in training and shipped."""
    trained = np.array(node.operator(weights, N, spec).execute(x)[0])
    shipped = node.predictor(node.pack(weights, spec), spec)(x)[0]
    return trained, shipped


@pytest.mark.parametrize("shared", [False, True])
def test_prelu(x, shared):
    node = PReLU(shared=shared)
    weights = learned(node)
    expected = np.where(x > 0, x, weights["slope"] * x)
    for got in both(node, weights, x):
        assert np.allclose(got, expected, atol=1e-6)
    assert_gradients(node, (MAP,), (x,), weights=weights)


def test_rprelu_is_a_prelu_between_two_shifts(x):
    node = RPReLU()
    weights = learned(node)
    v = x - weights["shift"]
    expected = np.where(v > 0, v, weights["slope"] * v) + weights["lift"]
    for got in both(node, weights, x):
        assert np.allclose(got, expected, atol=1e-6)
    assert_gradients(node, (MAP,), (x,), weights=weights)


def test_rsign_shifts_every_channel_before_the_sign(x):
    node = RSign(estimator="identity")
    weights = learned(node)
    expected = np.where(x + weights["bias"] >= 0, 1.0, -1.0)
    spec = node.specs(MAP)[0]
    for got in both(node, weights, x):
        assert np.array_equal(bits_as_real(got, spec), expected)


def test_rsign_passes_what_its_estimator_lets_through(x):
    node = RSign(estimator="clipped")
    weights = learned(node)
    operator = node.operator(weights, N, MAP)
    operator.execute(x)
    dy = np.random.default_rng(2).standard_normal(x.shape).astype(np.float32)
    (dx,) = operator.gradient(dy)
    expected = np.where(np.abs(x + weights["bias"]) <= 1, dy, 0)
    assert np.array_equal(dx, expected)
    (bias,) = operator.parameters()
    assert np.allclose(bias.grad, expected.sum((0, 1, 2)), atol=1e-5)


@pytest.mark.parametrize("key", FUNCTIONS)
def test_activations_have_the_slope_they_say(x, key):
    node = Activation(function=key, leak=0.25)
    trained, shipped = both(node, {}, x)
    assert trained.dtype == shipped.dtype == np.float32
    assert trained.tobytes() == shipped.tobytes()
    assert_gradients(node, (MAP,), (x,))


def test_activations_are_what_their_formulas_say(x):
    by_key = {
        "relu": np.maximum(x, 0),
        "leaky_relu": np.maximum(x, 0) + 0.25 * np.minimum(x, 0),
        "relu6": np.minimum(np.maximum(x, 0), 6),
        "hard_tanh": np.clip(x, -1, 1),
        "leaky_tanh": np.clip(x, -1, 1) + 0.25 * (np.maximum(x, 1) - 1) + 0.25 * (np.minimum(x, -1) + 1),
        "hard_sigmoid": np.clip(x / 6 + 0.5, 0, 1),
        "hard_swish": x * np.clip(x / 6 + 0.5, 0, 1),
    }
    assert set(by_key) == set(FUNCTIONS)
    for key, expected in by_key.items():
        got = Activation(function=key, leak=0.25).predictor({}, MAP)(x)[0]
        assert np.allclose(got, expected, atol=1e-6), key


def test_the_curves_of_activations_can_be_drawn():
    xs = np.linspace(-4, 4, 101)
    for option in FUNCTIONS.all():
        y, slope = option.curve(xs)
        assert y.shape == slope.shape == xs.shape
        assert np.allclose(np.gradient(y, xs)[1:-1], slope[1:-1], atol=0.55)  # a bend falls between two xs


def test_maxout_takes_the_largest_of_each_group(x):
    node = Maxout(pieces=3)
    assert node.specs(MAP) == (Spec("real", (3, 4, 2)),)
    x += np.arange(x.size, dtype=np.float32).reshape(x.shape) % 7 * 0.5  # no equals in a group
    expected = np.stack([x[..., :3].max(-1), x[..., 3:].max(-1)], -1)
    for got in both(node, {}, x):
        assert np.array_equal(got, expected)
    operator = node.operator({}, N, MAP)
    operator.execute(x)
    dy = np.ones((N, 3, 4, 2), np.float32)
    (dx,) = operator.gradient(dy)
    assert dx.sum() == dy.sum()
    assert np.array_equal(dx > 0, x == np.repeat(expected, 3, -1))
    with pytest.raises(ShapeError, match="groups of 4"):
        Maxout(pieces=4).specs(MAP)


@pytest.mark.parametrize("channels", [False, True])
def test_dropout_keeps_the_mean_and_ships_nothing(channels):
    node = Dropout(rate=0.25, channels=channels)
    x = np.ones((400, *MAP.shape), np.float32)
    operator = node.operator({}, 400, MAP)
    operator.rng = np.random.default_rng(0)
    y = np.array(operator.execute(x)[0])
    assert set(np.unique(y)) == {np.float32(0), np.float32(1) / np.float32(0.75)}
    assert y.mean() == pytest.approx(1.0, abs=0.03)
    dx = operator.gradient(x)[0]
    assert np.array_equal(dx, y)
    if channels:
        assert np.all(y == y[:, :1, :1, :])
    assert np.array_equal(node.predictor({}, MAP)(x)[0], x)


@pytest.mark.parametrize("scope", ["channel", "all"])
def test_scale_and_bias(x, scope):
    node = ScaleBias(scope=scope)
    weights = learned(node)
    expected = weights["scale"] * x + weights["bias"]
    for got in both(node, weights, x):
        assert np.allclose(got, expected, atol=1e-6)
    assert_gradients(node, (MAP,), (x,), weights=weights)
    assert ScaleBias(scale=False, bias=False).operator(weights, N, MAP).parameters() == ()


def test_tensor_norm_uses_one_mean_and_one_deviation(x):
    node = TensorNorm()
    weights = learned(node)
    weights["variance"][:] = 1
    got = np.array(node.operator(weights, N, MAP).execute(x)[0])
    normal = (x - x.mean()) / np.sqrt(x.var() + 1e-4)
    assert np.allclose(got, weights["gamma"] * normal + weights["beta"], atol=1e-5)
    assert_gradients(node, (MAP,), (x,), weights=weights)


def test_tensor_norm_ships_its_running_statistics(x):
    node = TensorNorm()
    weights = learned(node)
    operator = node.operator(weights, N, MAP)
    for _ in range(200):
        operator.execute(x)
    assert np.allclose(weights["mean"], x.mean(), atol=1e-4)
    assert np.allclose(weights["variance"], x.var(ddof=1), rtol=1e-4)
    shipped = node.predictor(node.pack(weights, MAP), MAP)(x)[0]
    assert np.allclose(shipped, operator.execute(x)[0], atol=5e-3)  # n - 1 and n


def test_a_shuffle_deals_groups_out_and_back(x):
    node = ChannelShuffle(groups=2)
    for got in both(node, {}, x):
        assert np.array_equal(got, x[..., [0, 3, 1, 4, 2, 5]])
    operator = node.operator({}, N, MAP)
    (y,) = operator.execute(x)
    assert np.array_equal(operator.gradient(y)[0], x)
    with pytest.raises(ShapeError, match="4 groups"):
        ChannelShuffle(groups=4).specs(MAP)


def test_duplication_puts_channels_beside_themselves(x):
    node = Duplicate(times=3)
    assert node.specs(MAP) == (Spec("real", (3, 4, 18)),)
    for got in both(node, {}, x):
        assert np.array_equal(got, np.tile(x, (1, 1, 1, 3)))
    assert_gradients(node, (MAP,), (x,))


def test_multiplication_weighs_each_gradient_by_the_other_branch(x):
    node, other = Multiply(), x[::-1].copy()
    operator = assert_gradients(node, (MAP, MAP), (x, other))
    assert np.array_equal(operator.execute(x, other)[0], x * other)
    assert np.array_equal(node.predictor({}, MAP, MAP)(x, other)[0], x * other)
    with pytest.raises(ShapeError, match="one shape"):
        node.specs(MAP, Spec("real", (3, 4, 5)))


def test_a_step_that_does_not_learn_is_left_to_no_chance_and_moves_no_statistics(x):
    dropped = Dropout(rate=0.5).operator({}, N, MAP)
    dropped.moment = Moment(learning=False)
    assert np.array_equal(dropped.execute(x)[0], x)
    node = TensorNorm()
    weights = node.start(np.random.default_rng(0), MAP)
    operator = node.operator(weights, N, MAP)
    operator.moment = Moment(learning=False)
    assert np.allclose(operator.execute(x)[0], x, atol=1e-3)
    assert weights["mean"][0] == 0


def test_what_turns_says_so(x):
    """A compiled program puts thresholds in the place of what it may take for monotonous."""
    weights = {"shift": np.zeros(6, np.float32), "slope": np.full(6, 0.1, np.float32)}
    weights["lift"] = weights["shift"]
    assert not RPReLU().predictor(weights, MAP).turns
    weights["slope"] = -weights["slope"]
    assert RPReLU().predictor(weights, MAP).turns
    line = np.linspace(-9, 9, 4001, dtype=np.float32)[:, None]
    for key in FUNCTIONS:
        predict = Activation(function=key).predictor({}, Spec("real", (1,)))
        rises = np.diff(predict(line)[0][:, 0])
        assert predict.turns == bool((rises < 0).any() and (rises > 0).any())
