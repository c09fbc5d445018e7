"""Standardise: what each method makes of training records, its gradient, and equal bits in any batch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.flow.standardise import METHODS, Standardise
from engine.ports import Spec

RNG = np.random.default_rng(0)


def fitted(method: str, x: np.ndarray):
    node, spec = Standardise(method=method), Spec("real", x.shape[1:])
    weights = node.fit(node.start(RNG, spec), x)
    return node, spec, weights


def applied(method: str, x: np.ndarray) -> np.ndarray:
    node, spec, weights = fitted(method, x)
    return node.predictor(node.pack(weights, spec), spec)(x)[0]


@settings(deadline=None, max_examples=30)
@given(
    n=st.integers(2, 40), shape=st.lists(st.integers(1, 7), min_size=1, max_size=3), seed=st.integers(0, 99)
)
def test_every_method_gives_what_its_formula_says(n: int, shape: list[int], seed: int) -> None:
    x = np.random.default_rng(seed).normal(3, 5, (n, *shape)).astype(np.float32)
    rows = x.reshape(n, -1).astype(np.float64)
    sizes = np.abs(rows).max(1, keepdims=True)
    expected = {
        "zscore": (rows - rows.mean(0)) / rows.std(0),
        "range": (rows - rows.min(0)) / (rows.max(0) - rows.min(0)),
        "range_all": (rows - rows.min()) / (rows.max() - rows.min()),
        "record": rows / sizes,
    }
    for method in METHODS:
        y = applied(method, x)
        assert y.shape == x.shape
        assert y.dtype == np.float32
        np.testing.assert_allclose(y.reshape(n, -1), expected[method], rtol=2e-3, atol=2e-3)


def test_features_that_never_vary_and_empty_records_give_zero() -> None:
    x = np.full((5, 3), 0.1, np.float32)
    for method in ("zscore", "range", "range_all"):
        assert (applied(method, x) == 0).all()
    assert (applied("record", np.zeros((2, 3), np.float32)) == 0).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_record_gets_the_same_bits_in_any_batch_and_in_training(method: str) -> None:
    x = RNG.normal(size=(33, 4, 5)).astype(np.float32)
    node, spec, weights = fitted(method, x)
    predict = node.predictor(node.pack(weights, spec), spec)
    whole = predict(x)[0]
    alone = np.concatenate([predict(x[i : i + 1])[0] for i in range(len(x))])
    trained = node.operator(weights, 40, spec).execute(x)[0]
    assert whole.tobytes() == alone.tobytes() == trained.tobytes()


@pytest.mark.parametrize("method", METHODS)
def test_the_gradient_is_the_derivative(method: str) -> None:
    x = RNG.normal(size=(6, 2, 3)).astype(np.float32)
    node, spec, weights = fitted(method, x)
    operator = node.operator(weights, 8, spec)
    dy = RNG.normal(size=x.shape).astype(np.float32)
    operator.execute(x)
    (dx,) = operator.gradient(dy)
    step = 1e-3
    for place in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[place] += step
        down[place] -= step
        high, low = (float((operator.execute(v)[0].astype(np.float64) * dy).sum()) for v in (up, down))
        assert dx[place] == pytest.approx((high - low) / (2 * step), abs=2e-2, rel=2e-2)


def test_an_empty_record_gets_no_gradient() -> None:
    operator = Standardise(method="record").operator({}, 2, Spec("real", (3,)))
    operator.execute(np.zeros((2, 3), np.float32))
    assert (operator.gradient(np.ones((2, 3), np.float32))[0] == 0).all()
    assert operator.gradient(None) == (None,)


@pytest.mark.parametrize(
    ("method", "bits"), [("zscore", 64 * 6), ("range", 64 * 6), ("range_all", 64), ("record", 0)]
)
def test_the_counted_storage_is_what_is_packed(method: str, bits: int) -> None:
    x = RNG.normal(size=(4, 2, 3)).astype(np.float32)
    node, spec, weights = fitted(method, x)
    assert node.cost(spec).weight_bits == bits
    assert 8 * sum(a.nbytes for a in node.pack(weights, spec).values()) == bits
    started = node.start(RNG, spec)
    assert {k: a.shape for k, a in started.items()} == {k: a.shape for k, a in weights.items()}


@pytest.mark.parametrize("method", ["zscore", "range", "range_all"])
def test_whole_numbers_are_fitted_like_the_same_floats(method):
    x = np.random.default_rng(0).integers(0, 256, (40, 7, 5)).astype(np.uint8)
    x[:, 0] = 3
    node = Standardise(method=method)
    whole, floats = node.fit({}, x), node.fit({}, x.astype(np.float32))
    rows = x.reshape(40, -1).astype(np.float64)
    assert all(whole[k].tobytes() == floats[k].tobytes() for k in floats)
    if method == "zscore":
        assert whole["mean"].tobytes() == rows.mean(0).astype(np.float32).tobytes()
