"""The rate encoder as a node and in training."""

import numpy as np
import pytest

from engine.ports import Spec
from engine.snn.rate import RateEncoder

SPEC = Spec("real", (3, 5))


@pytest.fixture(autouse=True)
def wrapping():
    """Let the hash wrap when the compiler is off."""
    with np.errstate(over="ignore"):
        yield


def fitted(node, x):
    spec = Spec("real", x.shape[1:])
    weights = node.fit(node.start(np.random.default_rng(0), spec), x)
    return weights, node.predictor(node.pack(weights, spec), spec)


def records(n=20, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 3, 5)).astype(np.float32)


def test_a_record_spikes_the_same_alone_as_in_a_batch_and_again():
    x = records()
    _, encode = fitted(RateEncoder(steps=9), x)
    together = encode(x)[0]
    assert together.shape == (20, 9, 15)
    assert np.concatenate([encode(row[None])[0] for row in x]).tobytes() == together.tobytes()


@pytest.mark.parametrize("where", ["shipped", "training"])
def test_rates_are_the_intensities(where):
    x = np.linspace(0, 1, 11, dtype=np.float32)[None].repeat(40, 0)
    node = RateEncoder(steps=500, limits="given")
    weights, encode = fitted(node, x)
    operator = node.operator(weights, 40, Spec("real", (11,)))
    spikes = encode(x)[0] if where == "shipped" else operator.execute(x)[0]
    atol = 0.07 if where == "shipped" else 0.02  # a shipped model draws the same for all 40
    np.testing.assert_allclose(spikes.mean((0, 1)), x[0], atol=atol)


@pytest.mark.parametrize(
    ("limits", "low", "high"),
    [("feature", [0, -4], [2, 8]), ("all", [-4, -4], [8, 8]), ("given", [0, 0], [1, 1])],
)
def test_ranges_are_found_on_the_training_records(limits, low, high):
    x = np.array([[0, 8], [np.nan, 2], [2, -4]], np.float32)
    weights, encode = fitted(RateEncoder(limits=limits), x)
    np.testing.assert_array_equal(weights["span"], np.float32([low, high]))
    assert not encode(x)[0][1, :, 0].any()  # a gap is silent


def test_out_of_range_is_clipped_and_a_feature_that_never_varies_is_silent():
    x = np.float32([[0, 3], [1, 3]])
    _, encode = fitted(RateEncoder(), x)
    spikes = encode(np.float32([[-5, 3], [5, 3]]))[0]
    assert not spikes[0].any()
    assert spikes[1, :, 0].all()
    assert not spikes[1, :, 1].any()


def test_training_draws_anew_and_a_reseeded_run_draws_the_same():
    x = records()
    node = RateEncoder()
    weights, _ = fitted(node, x)
    operator = node.operator(weights, 20, SPEC)
    runs = []
    for _ in range(2):
        operator.rng = np.random.default_rng(4)
        runs.append([operator.execute(x)[0].copy() for _ in range(2)])
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0][0] != runs[0][1]).any()


def test_the_gradient_is_that_of_the_expected_spikes():
    node = RateEncoder(steps=4)
    train = np.float32([[0, 10], [2, 20]])
    weights, _ = fitted(node, train)
    operator = node.operator(weights, 3, Spec("real", (2,)))
    operator.execute(np.float32([[1, 15], [-1, 12], [3, 20]]))
    grad = np.random.default_rng(0).normal(size=(3, 4, 2)).astype(np.float32)
    (back,) = operator.gradient(grad)
    expected = grad.sum(1) / np.float32([2, 10]) * np.float32([[1, 1], [0, 1], [0, 1]])
    np.testing.assert_allclose(back, expected, rtol=1e-6)
