"""Surrogate gradients: each is the slope of its own soft spike, and never of the wrong sign."""

import math

import numpy as np
import pytest

from engine.snn.surrogates import SURROGATES

GRID = np.linspace(-3, 3, 1201).astype(np.float32)

# The soft spike whose slope each surrogate is, worked out by hand from its name.
SOFT = {
    "arctan": lambda x, k: math.atan(math.pi / 2 * k * x) / math.pi,
    "fast_sigmoid": lambda x, k: x / (1 + k * abs(x)),
    "sigmoid": lambda x, k: 1 / (1 + math.exp(-k * x)),
    "triangular": lambda x, k: (
        math.copysign(k * abs(x) - (k * x) ** 2 / 2, x) if abs(x) * k < 1 else math.copysign(0.5, x)
    ),
    "boxcar": lambda x, k: min(max(k * x, -0.5), 0.5),
    "exponential": lambda x, k: math.copysign((1 - math.exp(-k * abs(x))) / 2, x),
    "soft_sign": lambda x, k: k * x / (1 + k * abs(x)) / 2,
    "gaussian": lambda x, k: math.erf(k * x) / 2,
    "straight": lambda x, k: x,
}


def slope_of(key, x, k):
    out = np.empty_like(x)
    SURROGATES.make(key)(x, np.float32(k), out)
    return out


def test_every_surrogate_is_checked():
    assert set(SOFT) == set(SURROGATES)


@pytest.mark.parametrize("k", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("key", list(SOFT))
def test_a_surrogate_is_the_slope_of_its_soft_spike(key, k):
    # Off the grid of corners, where the boxcar and the triangle have no slope.
    x = (GRID + np.float32(0.00137))[::7].copy()
    step = 1e-5
    finite = [(SOFT[key](float(v) + step, k) - SOFT[key](float(v) - step, k)) / (2 * step) for v in x]
    np.testing.assert_allclose(slope_of(key, x, k), finite, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("key", list(SOFT))
def test_no_surrogate_turns_a_gradient_round(key):
    slope = slope_of(key, GRID, 2.0)
    assert np.all(slope >= 0)
    assert slope[600] == slope.max() > 0
    np.testing.assert_allclose(slope, slope[::-1], atol=1e-6)


@pytest.mark.parametrize("key", [key for key in SOFT if key != "straight"])
def test_a_greater_slope_is_sharper(key):
    def width(k):
        slope = slope_of(key, GRID, k)
        return np.count_nonzero(slope > slope.max() / 2)

    assert width(0.5) > width(2.0) > width(8.0) > 0


@pytest.mark.parametrize("key", [key for key in SOFT if key not in ("straight", "fast_sigmoid")])
def test_the_slope_of_a_spike_from_0_to_1_has_area_1(key):
    x = np.linspace(-4000, 4000, 4_000_001).astype(np.float32)
    assert np.trapezoid(slope_of(key, x, 2.0), x) == pytest.approx(1, abs=5e-3)


def test_extreme_potentials_give_finite_gradients():
    x = np.float32([-1e30, -1e10, 0, 1e10, 1e30])
    with np.errstate(over="ignore"):
        for key in SOFT:
            assert np.all(np.isfinite(slope_of(key, x, 1000.0)))
