"""kernels/sign_labels.py: where it is sure of a class, the float sums in fixed order give that class."""

import numpy as np
import pytest

from engine.kernels.sign_labels import SIDE, lay_ints, sure_label
from engine.kernels.sign_sums import by_lanes, sums_of_one
from engine.kernels.vectors import COMPILED

pytestmark = pytest.mark.skipif(not COMPILED, reason="the sums it is compared with are compiled")
BOTH = np.array([-1, 1], np.float32)


def asked(values_t, affine, words):
    """The class of each record by float sums, and by whole numbers; -1 where those leave a doubt."""
    k, m = values_t.shape
    scores, one = np.empty((len(words), m), np.float32), np.empty(1, np.int64)
    sums = np.empty(-(-m // 16) * 16, np.float32)
    sums_of_one(words, k, by_lanes(values_t), BOTH, affine, sums, scores)
    ints, scale = lay_ints(values_t)
    room = np.zeros((3, -(-m // SIDE) * SIDE))
    found = [int(one[0]) if sure_label(x, k, ints, scale, affine, room, one) else -1 for x in words]
    return scores.argmax(1), np.array(found)


def drawn(rng, n, k):
    return rng.integers(0, 2**63, (n, -(-k // 64)), dtype=np.uint64) << np.uint64(1)


@pytest.mark.parametrize(
    ("k", "m", "times"), [(6272, 10, 2), (640, 3, 1), (70, 24, 2), (16, 5, 1), (5, 2, 3)]
)
def test_that_what_it_is_sure_of_is_right(k, m, times):
    rng = np.random.default_rng(k)
    values_t = (rng.standard_normal((k, m)) * 10.0 ** rng.integers(-3, 3, m)).astype(np.float32)
    affine = rng.standard_normal((times, 2, m)).astype(np.float32)
    expected, found = asked(values_t, affine, drawn(rng, 300, k))
    sure = found >= 0
    assert (found[sure] == expected[sure]).all()
    assert sure.mean() > 0.9


@pytest.mark.parametrize("apart", [0.0, 1e-7, 1e-6, 1e-4])
def test_that_close_scores_leave_a_doubt(apart):
    rng = np.random.default_rng(1)
    values_t = np.repeat(rng.standard_normal((3000, 1)).astype(np.float32), 4, axis=1)
    values_t += (apart * rng.standard_normal(values_t.shape)).astype(np.float32)
    affine = np.stack([np.ones(4), np.zeros(4)]).astype(np.float32)[None]
    expected, found = asked(values_t, affine, drawn(rng, 200, 3000))
    sure = found >= 0
    assert (found[sure] == expected[sure]).all()
    assert not sure.all()
    assert len(np.unique(expected)) > 1 or not apart


@pytest.mark.parametrize("size", [0.0, 1e-44, 1e-38, 1e30])
def test_that_weights_of_any_size_are_bounded(size):
    rng = np.random.default_rng(2)
    values_t = (size * rng.standard_normal((100, 6))).astype(np.float32)
    affine = np.stack([rng.standard_normal(6), np.zeros(6)]).astype(np.float32)[None]
    expected, found = asked(values_t, affine, drawn(rng, 200, 100))
    sure = found >= 0
    assert (found[sure] == expected[sure]).all()
    assert sure.any() == (size > 0)


def test_that_the_bound_holds_of_each_float_sum():
    """Weights of one size under signs that agree: partial sums as large as they can be."""
    values_t = np.full((6000, 1), 0.1, np.float32)
    values_t[::7] = 3e-5
    words = np.full((1, 94), 2**64 - 1, np.uint64)
    affine = np.array([[[1.0], [0.0]]], np.float32)
    sums, score = np.empty(16, np.float32), np.empty((1, 1), np.float32)
    sums_of_one(words, 6000, by_lanes(values_t), BOTH, affine, sums, score)
    exact = values_t.astype(np.float64).sum()
    _, scale = lay_ints(values_t)
    assert 0 < abs(float(score[0, 0]) - exact) < scale[1, 0] < 0.01 * exact
