"""Binary attention against plain NumPy: its answers, and its gradients by differences of a soft twin.

The twin replaces every quantizer q(x) by q(x0) + slope (x - x0), slope 1 where the estimator passes a
gradient: a smooth function with the value of the layer at x0 and, there, the gradient it ought to give.
"""

import numpy as np
import pytest
from gradients import assert_gradients

from engine.bnn.attention import BinaryAttention
from engine.kernels.attention import attend
from engine.kernels.jit import plain
from engine.node import Moment, ShapeError
from engine.ports import Spec

N, TOKENS, FEATURES = 3, 5, 6
SPEC = Spec("real", (TOKENS, FEATURES))
NODE = BinaryAttention(heads=2, head_size=3, weight_bits="32", activation_bits="32")


def started(node, x):
    """Weights whose scales a first batch has set."""
    weights = node.start(np.random.default_rng(1), SPEC)
    for name in weights:
        if name.endswith("bias"):
            weights[name] = (
                np.random.default_rng(2).uniform(-0.3, 0.3, weights[name].shape).astype(np.float32)
            )
    node.operator(weights, len(x), SPEC).execute(x)
    return weights


@pytest.fixture
def x():
    return np.random.default_rng(0).standard_normal((N, TOKENS, FEATURES)).astype(np.float32)


class Twin:
    """The layer in float64 with quantizers that are straight lines around a base point."""

    def __init__(self):
        self.base = {}

    def step(self, name, x, value, slope):
        x0, q0, s0 = self.base.setdefault(name, (x.copy(), value(x), slope(x)))
        return q0 + s0 * (x - x0)

    def scale(self, name, alpha, slope):
        a0, s0 = self.base.setdefault(name, (alpha, slope))
        return s0 * (alpha - a0)

    def __call__(self, node, w, x):
        w = {k: v.astype(np.float64) for k, v in w.items()}
        heads, size = node.heads, node.head_size
        parts = []
        for i, name in enumerate(("query", "key", "value")):
            raw = x @ w[f"{name}_weight"].T + w[f"{name}_bias"]
            raw = raw.reshape(len(x), TOKENS, heads, size).transpose(0, 2, 1, 3)
            a = self.base.setdefault(f"a{i}", w["alpha"][i])
            signed = np.where(raw >= 0, 1.0, -1.0)
            given = self.step(
                name, raw, lambda r, a=a: a * np.where(r >= 0, 1.0, -1.0), lambda r, a=a: np.abs(r) <= a
            )
            parts.append(given + self.scale(f"{name}_a", w["alpha"][i], signed))
        query, key, value = parts
        scores = query @ key.swapaxes(2, 3) / np.sqrt(size)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        a = self.base.setdefault("a3", w["alpha"][3])
        level, passing = shares / a, (shares / a > 0.5) * 1.0
        attention = self.step("attention", shares, lambda _: a * passing, lambda _: level <= 1)
        attention = attention + self.scale(
            "attention_a", w["alpha"][3], np.where(level > 1, 1.0, passing - level)
        )
        context = (attention @ value).transpose(0, 2, 1, 3).reshape(len(x), TOKENS, heads * size)
        return context @ w["out_weight"].T + w["out_bias"]


def test_it_computes_what_it_says(x):
    weights = started(NODE, x)
    expected = Twin()(NODE, weights, x.astype(np.float64))
    trained = NODE.operator(weights, N, SPEC).execute(x)[0]
    shipped = NODE.predictor(NODE.pack(weights, SPEC), SPEC)(x)[0]
    assert np.allclose(trained, expected, atol=1e-5)
    assert np.allclose(shipped, expected, atol=1e-5)


def test_gradients_are_those_of_the_straight_lines(x):
    weights = started(NODE, x)
    operator = NODE.operator(weights, N, SPEC)
    operator.execute(x)
    dy = np.random.default_rng(3).standard_normal(x.shape).astype(np.float32)
    (dx,) = operator.gradient(dy)
    twin = Twin()
    twin(NODE, weights, x.astype(np.float64))

    def slope(change):
        moved = []
        for sign in (1, -1):
            w = {k: v.astype(np.float64) for k, v in weights.items()}
            at = x.astype(np.float64)
            change(w, at, sign * 1e-5)
            moved.append((twin(NODE, w, at) * dy).sum())
        return (moved[0] - moved[1]) / 2e-5

    def nudge(array, place, by):
        array.reshape(-1)[place] += by

    for place in (0, 7, 40, 89):
        assert dx.reshape(-1)[place] == pytest.approx(
            slope(lambda w, at, by, place=place: nudge(at, place, by)), rel=1e-3, abs=1e-4
        )
    lsq = 1 / np.sqrt(TOKENS * 6)
    for p in operator.parameters():
        for place in range(0, p.value.size, max(1, p.value.size // 3)):
            found = slope(lambda w, at, by, p=p, place=place: nudge(w[p.name], place, by))
            if (
                p.name == "alpha"
            ):  # LSQ scales this gradient; the attention has heads x tokens x tokens numbers
                found *= 1 / np.sqrt(2 * TOKENS * TOKENS) if place == 3 else lsq
            assert p.grad.reshape(-1)[place] == pytest.approx(found, rel=1e-3, abs=1e-4), (p.name, place)


@pytest.mark.parametrize("width", ["1", "ternary", "4", "16"])
def test_shipping_keeps_what_training_gave(x, width):
    node = BinaryAttention(heads=2, head_size=70, weight_bits=width, activation_bits=width)
    weights = started(node, x)
    trained = np.array(node.operator(weights, N, SPEC).execute(x)[0])
    shipped = node.predictor(node.pack(weights, SPEC), SPEC)(x)[0]
    assert np.allclose(trained, shipped, rtol=1e-3, atol=1e-4)


def test_the_kernel_counts_as_plain_products_do():
    rng = np.random.default_rng(5)
    n, tokens, heads, size = 2, 70, 2, 66
    real = [rng.standard_normal((n, tokens, heads, size)).astype(np.float32) for _ in range(3)]

    def packed(a):
        words = -(-a.shape[-1] // 64)
        bits = np.zeros((*a.shape[:-1], words * 64), bool)
        bits[..., : a.shape[-1]] = a >= 0
        return np.packbits(bits, axis=-1, bitorder="little").view(np.uint64)

    query, key, value = real
    factor = np.array([0.1, 1.2 / tokens], np.float32)
    out = np.empty((n, tokens, heads, size), np.int32)
    arguments = (packed(query), packed(key), packed(value.transpose(0, 2, 3, 1)), size, factor)
    attend(*arguments, out)
    q, k, v = (np.where(a >= 0, 1.0, -1.0).transpose(0, 2, 1, 3) for a in real)
    scores = q @ k.swapaxes(2, 3) * 0.1
    shares = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    expected = (shares > 1.2 / tokens) @ v
    assert np.array_equal(out, expected.transpose(0, 2, 1, 3))
    one = [a[:1, :2] if i < 2 else a[:1] for i, a in enumerate(arguments[:2])]
    small = np.empty((1, 2, heads, size), np.int32)
    again = np.empty_like(small)
    values = packed(value[:1, :2].transpose(0, 2, 3, 1))
    attend(*one, values, size, factor, small)
    plain(attend)(*one, values, size, factor, again)
    assert np.array_equal(small, again)


def test_a_stage_of_floats_is_attention_of_floats(x):
    weights = started(NODE, x)

    def floats(operator):
        operator.moment = Moment(weights=False, activations=False)

    operator = assert_gradients(NODE, (SPEC,), (x,), weights=weights, wobble=floats)
    alpha = next(p for p in operator.parameters() if p.name == "alpha")
    assert not alpha.grad.any()


def test_flat_records_are_refused():
    with pytest.raises(ShapeError, match="tokens"):
        BinaryAttention().specs(Spec("real", (12,)))
