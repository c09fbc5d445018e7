"""limits.py: what latent weights are clipped to."""

import numpy as np
import pytest

from engine.limits import LIMITS


def sample():
    return np.random.default_rng(0).standard_normal(1000).astype(np.float32)


def test_deviations_are_root_mean_squares():
    want = 2.5 * np.sqrt(np.mean(sample().astype(np.float64) ** 2))
    assert LIMITS.make("deviation")(sample(), 2.5) == pytest.approx(want)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9, 0.999, 1.0, 3.0])
def test_the_quantile_is_that_of_the_sorted_sizes(share):
    sizes = np.sort(np.abs(sample()))
    assert LIMITS.make("quantile")(sample(), share) == sizes[min(999, int(share * 1000))]


def test_fixed_is_no_limit_of_its_own():
    assert LIMITS.make("fixed")(sample(), 3.0) == np.inf
