"""Weight quantizers that learn, search or draw: gradients by finite differences, and what they are for."""

import math

import numpy as np
import pytest
from weight_twins import G, W, bounds, clip1, counted, made, mean, nearest_sums, sign, size, standard

from engine.bnn.ranges import kl_range, mse_scale
from engine.node import Moment

# Gradients by finite differences: of the same weights with every step replaced by its straight line, and what
# the quantizer holds constant frozen where it stands.


def frozen(key, share):
    """Return w -> weights whose slope the quantizer claims, with constants taken at W."""
    w0 = W.astype(np.float64)
    if key == "adabin":

        def soft(w):
            b, a = mean(w), w.std(axis=1, keepdims=True)
            b0, a0 = mean(w0), w0.std(axis=1, keepdims=True)
            z, z0 = (w - b) / a, (w0 - b0) / a0
            return a * (sign(z0) + (z - z0) * clip1(z0)) + b

        return soft
    if key == "standardised":
        return lambda w: size(standard(w0)) * standard(w) * clip1(standard(w0))
    if key == "libra":

        def v(w):
            return (w - mean(w)) / w.std(axis=1, ddof=1, keepdims=True)

        return lambda w: 2 ** np.rint(np.log2(size(v(w0)))) * v(w) * clip1(v(w0))
    if key == "siman":
        return lambda w: size(w0) * sign(w0 - mean(w0)) * (w - mean(w)) / w.std(axis=1, ddof=1, keepdims=True)

    def v(w):
        return 2 * math.sqrt(2) * (w - mean(w)) / w.std(axis=1, ddof=1, keepdims=True)

    t = 0.85 + 0.14 * (math.exp(share) - 1) / (math.e - 1)
    q = -np.abs(v(w0)).mean() * math.log(2 - 2 * t)
    return lambda w: size(w0) * v(w) * (np.abs(v(w0)) <= q)


@pytest.mark.parametrize("share", [0.0, 1.0])
@pytest.mark.parametrize("key", ["adabin", "standardised", "libra", "recu", "siman"])
def test_balanced_gradients_pass_finite_differences(key, share):
    soft, w = frozen(key, share), W.astype(np.float64)
    found = made(key, "1", share).gradient(W, G.copy())
    for at in [(0, 0), (2, 11), (5, 36), (3, 20)]:
        moved = [w.copy(), w.copy()]
        moved[0][at] += 1e-6
        moved[1][at] -= 1e-6
        slope = ((soft(moved[0]) - soft(moved[1])) * G).sum() / 2e-6
        assert found[at] == pytest.approx(slope, rel=2e-3, abs=2e-3)


def rounded_at(v0, low, high):
    """Return v -> clip(round(v)) whose slope is straight-through: the rounding error of v0 stays."""
    error, inside = np.rint(v0) - v0, (v0 > low) & (v0 < high)
    return lambda v: np.where(inside, v + error, np.clip(v0, low, high))


LEARNED = [
    ("learned_scale", "1", "weight_scale"),
    ("recu", "1", "weight_scale"),
    ("siman", "1", "weight_scale"),
    ("ttq", "ternary", "weight_positive"),
    ("ttq", "ternary", "weight_negative"),
]


@pytest.mark.parametrize(("key", "width", "name"), LEARNED)
def test_learned_scales_have_the_slope_of_the_weights_they_scale(key, width, name):
    quantizer = made(key, width)
    quantizer.gradient(W, G.copy())
    array, grad = quantizer.arrays[name], quantizer.grads[name].copy()
    for at in range(len(array)):
        before, totals = float(array[at]), []
        for step in (0.25, -0.25):
            array[at] = before + step
            totals.append((counted(quantizer.quantize(W)) * G).sum())
        array[at] = before
        assert grad[at] == pytest.approx((totals[0] - totals[1]) / 0.5, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("width", ["ternary", "2", "4"])
@pytest.mark.parametrize("key", ["lsq", "lsq_output"])
def test_learned_steps_have_the_slope_of_lsq(key, width):
    quantizer = made(key, width)
    quantizer.gradient(W, G.copy())
    low, high = quantizer.row.low, quantizer.row.high
    s0 = quantizer.arrays["weight_step"].astype(np.float64)[:, None]
    w, together = W.astype(np.float64), W.size // len(s0)

    def total(s):
        return (s * rounded_at(w / s0, low, high)(w / s) * G).reshape(len(s0), -1).sum(axis=1)

    slope = (total(s0 + 1e-7) - total(s0 - 1e-7)) / 2e-7 / math.sqrt(together * high)
    np.testing.assert_allclose(quantizer.grads["weight_step"], slope, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("width", ["2", "4", "8"])
def test_the_threshold_of_tqt_has_its_slope(width):
    w = W * 2.0  # so that some are clipped at a learned threshold
    quantizer = made("tqt", width, w=w)
    quantizer.arrays["weight_log_threshold"][0] -= 1
    found = quantizer.gradient(w, G.copy())
    low, high = bounds(width)
    s0, w = float(quantizer.step), w.astype(np.float64)
    v0 = w / s0
    inside = (np.rint(v0) >= low) & (np.rint(v0) <= high)

    def total(power):
        s = s0 * 2.0**power
        return (s * np.where(inside, w / s + np.rint(v0) - v0, np.clip(np.rint(v0), low, high)) * G).sum()

    slope = (total(1e-6) - total(-1e-6)) / 2e-6
    assert quantizer.grads["weight_log_threshold"][0] == pytest.approx(slope, rel=1e-3, abs=1e-3)
    np.testing.assert_allclose(found, np.where(inside, G, 0))


def test_the_interval_of_qil_passes_finite_differences():
    quantizer = made("qil", "3")
    c0, d0, w = 0.6, 0.45, W.astype(np.float64)
    quantizer.arrays["weight_middle"][0], quantizer.arrays["weight_reach"][0] = c0, d0
    t0 = (np.abs(w) - c0 + d0) / (2 * d0)
    expected = np.sign(w) * np.rint(3 * np.clip(t0, 0, 1)) / 3
    np.testing.assert_allclose(counted(quantizer.quantize(W)), expected, atol=1e-6)
    found = quantizer.gradient(W, G.copy())
    inside = (t0 > 0) & (t0 < 1)

    def total(c, d):
        return (np.sign(w) * np.where(inside, (np.abs(w) - c + d) / (2 * d), 0) * G).sum()

    for name, up, down in (
        ("weight_middle", total(c0 + 1e-6, d0), total(c0 - 1e-6, d0)),
        ("weight_reach", total(c0, d0 + 1e-6), total(c0, d0 - 1e-6)),
    ):
        assert quantizer.grads[name][0] == pytest.approx((up - down) / 2e-6, rel=1e-3, abs=1e-3)
    np.testing.assert_allclose(found, G * inside / (2 * d0), rtol=1e-5)


@pytest.mark.parametrize("tight", [False, True])
@pytest.mark.parametrize("width", ["4", "8"])
def test_a2q_differentiates_norm_step_and_weights(width, tight):
    quantizer = made("a2q_16", width)
    if tight:
        quantizer.bound = 20.0
    logs = [quantizer.arrays[n].astype(np.float64)[:, None] for n in ("weight_log_norm", "weight_log_step")]
    w0 = W.astype(np.float64)

    def real(w, log_norm, log_step):
        return (
            w / np.abs(w).sum(axis=1, keepdims=True) * np.minimum(2 ** (log_norm - log_step), quantizer.bound)
        )

    levels = counted(quantizer.quantize(W)) / 2 ** logs[1]
    v0 = real(w0, *logs)

    def total(w, log_norm, log_step):
        return 2**log_step * (levels + real(w, log_norm, log_step) - v0) * G

    found = quantizer.gradient(W, G.copy())
    for at, name in enumerate(("weight_log_norm", "weight_log_step")):
        up, down = ([log + (step if i == at else 0) for i, log in enumerate(logs)] for step in (1e-6, -1e-6))
        slope = (total(w0, *up) - total(w0, *down)).sum(axis=1) / 2e-6
        np.testing.assert_allclose(quantizer.grads[name], slope, rtol=2e-3, atol=2e-3)
    for at in [(0, 0), (4, 30)]:
        moved = [w0.copy(), w0.copy()]
        moved[0][at] += 1e-7
        moved[1][at] -= 1e-7
        slope = (total(moved[0], *logs) - total(moved[1], *logs)).sum() / 2e-7
        assert found[at] == pytest.approx(slope, rel=5e-3, abs=5e-3)


@pytest.mark.parametrize("bits", [16, 20, 24])
@pytest.mark.parametrize("width", ["2", "4", "8"])
def test_a2q_never_leaves_its_accumulator(width, bits):
    w = np.random.default_rng(bits).standard_normal((9, 2000)).astype(np.float32)
    quantizer = made(f"a2q_{bits}", width, w=w)
    quantizer.arrays["weight_log_norm"][:] += 5
    assert np.abs(quantizer.shipped(w).values).sum(axis=1).max() * 255 <= 2 ** (bits - 1) - 1


def test_the_means_of_chance_are_the_latent_weights():
    for key, width, expected in (
        ("stochastic_sign", "1", np.clip(W, -1, 1)),
        ("stochastic_rounding", "8", W),
        ("quant_noise", "2", (W + counted(made("standard", "2").quantize(W))) / 2),
    ):
        quantizer = made(key, width)
        mean_of = np.mean([counted(quantizer.quantize(W)) for _ in range(3000)], axis=0)
        np.testing.assert_allclose(mean_of, expected, atol=0.08 if width == "1" else 0.03)
    quantizer = made("ternary_stochastic", "ternary")
    often = np.mean([quantizer.quantize(W).values != 0 for _ in range(3000)], axis=0)
    np.testing.assert_allclose(often, np.minimum(1, np.abs(W) / (1.4 * size(W))), atol=0.05)
    twn = counted(made("standard", "ternary").quantize(W))
    np.testing.assert_allclose(counted(quantizer.shipped(W)), twn, atol=1e-6)


def test_the_step_of_least_error_beats_its_neighbours():
    for low, high in ((-2, 1), (-8, 7)):
        steps = mse_scale(W, low, high).astype(np.float64)
        largest = np.abs(W).max(axis=1)

        def error(steps, low=low, high=high):
            s = steps[:, None]
            return ((s * np.clip(np.rint(W / s), low, high) - W) ** 2).sum(axis=1)

        for part in np.linspace(0.25, 1, 24):
            assert (error(steps) <= error(largest * part / high) + 1e-4).all()
        found = made("least_error", {1: "2", 7: "4"}[high]).quantize(W)
        np.testing.assert_allclose(found.scale, steps, rtol=1e-5)


def test_the_threshold_of_least_divergence_clips_a_long_tail():
    rng = np.random.default_rng(0)
    normal = rng.standard_normal(20_000).astype(np.float32)
    tail = np.concatenate([normal, np.float32([40.0])])
    assert kl_range(tail, 7) < 12
    assert 1 < kl_range(normal, 7) <= np.abs(normal).max() * 1.0001
    assert kl_range(normal, 127) >= kl_range(normal, 3)
    assert kl_range(np.zeros(5, np.float32), 7) > 0
    found = made("entropy", "4", w=tail[None].copy()).quantize(tail[None])
    assert found.scale[0] == pytest.approx(kl_range(tail, 7) / 7, rel=1e-5)


def test_sparse_ternary_reaches_its_share_of_zeros():
    w = np.random.default_rng(0).standard_normal((20, 500)).astype(np.float32)
    for share, zeros in ((0.0, 0.0), (0.5, 0.6125), (1.0, 0.7)):
        values = made("ternary_sparse", "ternary", share, w).quantize(w).values
        assert (values == 0).mean() == pytest.approx(zeros, abs=0.01)


def test_more_bases_err_less():
    errors = [((counted(made(f"abc_net_{n}", "1").quantize(W)) - W) ** 2).mean() for n in (2, 3, 5)]
    assert errors[0] > errors[1] > errors[2]


def test_a_learned_basis_settles_at_the_least_error():
    quantizer = made("lq_nets_3", "1")
    errors = [((counted(quantizer.quantize(W)) - W) ** 2).mean() for _ in range(60)]
    assert errors[-1] < 0.5 * errors[0]
    basis = quantizer.arrays["weight_basis"].astype(np.float64)
    assert errors[-1] == pytest.approx(((nearest_sums(W, basis)[1] - W) ** 2).mean(), rel=1e-4)
    assert errors[-1] < ((counted(made("abc_net_3", "1").quantize(W)) - W) ** 2).mean()
    before = basis.copy()
    quantizer.shipped(W)
    assert (quantizer.arrays["weight_basis"] == before).all()


@pytest.mark.parametrize("inputs", [36, 41, 2 * 1031])
def test_rotations_stay_rotations_and_bring_weights_near_their_signs(inputs):
    w = np.random.default_rng(2).standard_normal((30, inputs)).astype(np.float32) ** 3
    quantizer = made("rotated", "1", 0.0, w)

    def cosine(v):
        return np.abs(v).sum(axis=1) / np.linalg.norm(v, axis=1) / math.sqrt(v.shape[1])

    v = (w - mean(w)) / w.std(axis=1, ddof=1, keepdims=True)
    quantizer.quantize(w)
    for name in ("weight_turn_1", "weight_turn_2"):
        turn = quantizer.arrays[name]
        np.testing.assert_allclose(turn.T @ turn, np.eye(len(turn)), atol=1e-4)
    turned = quantizer._rotated(v.astype(np.float32))
    if inputs == 36:
        first, second = (quantizer.arrays[f"weight_turn_{i}"] for i in (1, 2))
        by_hand = np.array([(first.T @ row.reshape(6, 6) @ second).ravel() for row in v])
        np.testing.assert_allclose(turned, by_hand, rtol=1e-3, atol=1e-3)
        assert cosine(turned).mean() > cosine(v).mean() + 0.05
    part = np.abs(np.sin(quantizer.arrays["weight_angle"]))[:, None]
    expected = quantizer.arrays["weight_scale"][:, None] * sign(v + part * (turned - v))
    assert (np.sign(counted(quantizer.quantize(w))) == np.sign(expected)).mean() > 0.999
    turn = quantizer.arrays["weight_turn_1"].copy()
    quantizer.quantize(w)
    assert (quantizer.arrays["weight_turn_1"] == turn).all()  # not found anew at the same moment


def test_rotated_gradients_pass_finite_differences():
    quantizer = made("rotated", "1", 0.5)
    quantizer.quantize(W)
    found = quantizer.gradient(W, G.copy())
    w0, angle0 = W.astype(np.float64), quantizer.arrays["weight_angle"].astype(np.float64)[:, None]

    def v(w):
        return (w - mean(w)) / w.std(axis=1, ddof=1, keepdims=True)

    added = quantizer._rotated(v(w0).astype(np.float32)) - v(w0)
    turned0 = v(w0) + np.abs(np.sin(angle0)) * added
    scale = quantizer.arrays["weight_scale"].astype(np.float64)[:, None]

    def total(w, angle):
        turned = v(w) + np.abs(np.sin(angle)) * added
        return (scale * turned * clip1(turned0) * G).sum(axis=1)

    slope = (total(w0, angle0 + 1e-6) - total(w0, angle0 - 1e-6)) / 2e-6
    np.testing.assert_allclose(quantizer.grads["weight_angle"], slope, rtol=1e-2, atol=1e-2)
    np.testing.assert_allclose(quantizer.grads["weight_scale"], (G * sign(turned0)).sum(axis=1), atol=1e-3)
    for at in [(0, 0), (3, 20)]:
        moved = [w0.copy(), w0.copy()]
        moved[0][at] += 1e-6
        moved[1][at] -= 1e-6
        slope = (total(moved[0], angle0) - total(moved[1], angle0)).sum() / 2e-6
        assert found[at] == pytest.approx(slope, rel=5e-3, abs=5e-3)


def test_rounding_is_learned_once_the_weights_have_settled():
    quantizer = made("learned_rounding", "3", 0.4)
    nearest = counted(made("standard", "3").quantize(W))
    np.testing.assert_allclose(counted(quantizer.quantize(W)), nearest)
    quantizer.gradient(W, G.copy())
    assert (quantizer.grads["weight_round"] == 0).all()
    quantizer.moment = Moment(share=0.6)
    soft = quantizer.quantize(W)
    assert soft.soft
    step = soft.scale.astype(np.float64)[:, None]
    floor, over = np.floor(W / step), np.clip(W / step - np.floor(W / step), 0.01, 0.99)
    np.testing.assert_allclose(soft.values, np.clip(floor + over, -4, 3), atol=1e-4)
    np.testing.assert_allclose(counted(quantizer.shipped(W)), nearest, atol=1e-5)
    found = quantizer.gradient(W, G.copy())
    assert (found == 0).all()
    v0, power = quantizer.arrays["weight_round"].astype(np.float64), 20 - 36 * 0.1

    def total(v):
        h = np.clip(1.2 / (1 + np.exp(-v)) - 0.1, 0, 1)
        drawn = 0.01 * (1 - np.abs(2 * h - 1) ** power)
        return G * step * np.clip(floor + h, -4, 3) + drawn

    slope = (total(v0 + 1e-6) - total(v0 - 1e-6)) / 2e-6
    np.testing.assert_allclose(quantizer.grads["weight_round"], slope, rtol=2e-3, atol=2e-4)
    quantizer.arrays["weight_round"] *= -1
    up = step * np.clip(floor + (v0 < 0), -4, 3)
    for share in (0.7, 1.0):
        quantizer.moment = Moment(share=share)
        moved = quantizer.shipped(W + 1)  # the weights count no more
        np.testing.assert_allclose(counted(moved), up, atol=1e-5)
    assert not quantizer.quantize(W).soft
