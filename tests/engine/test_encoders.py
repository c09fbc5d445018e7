"""Thermometer codes, bit planes and embeddings give the bits and vectors they say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bnn.bit_planes import BitPlanes
from engine.bnn.embedding import Embedding
from engine.bnn.thermometer import Thermometer
from engine.convert import bits_as_real
from engine.node import ShapeError
from engine.ports import Column, Spec
from engine.precision import PRECISIONS

IMAGES = Spec("real", (4, 5))


@pytest.fixture
def x():
    return np.random.default_rng(0).uniform(-2, 6, (50, 4, 5)).astype(np.float32)


def coded(node, x, spec=IMAGES):
    weights = node.fit(node.start(np.random.default_rng(0), spec), x)
    (words,) = node.predictor(node.pack(weights, spec), spec)(x)
    return bits_as_real(words, node.specs(spec)[0]), weights


@pytest.mark.parametrize("by_feature", [False, True])
@pytest.mark.parametrize("method", ["uniform", "quantile"])
def test_a_thermometer_says_which_thresholds_are_reached(x, method, by_feature):
    node = Thermometer(levels=6, method=method, by_feature=by_feature)
    bits, weights = coded(node, x)
    assert bits.shape == (50, 4, 5, 6)
    thresholds = weights["thresholds"].reshape((4, 5, 6) if by_feature else (6,))
    assert np.array_equal(bits, np.where(x[..., None] >= thresholds, 1.0, -1.0))
    assert np.all(np.diff(thresholds, axis=-1) > 0)
    assert np.all(np.diff(bits, axis=-1) <= 0)  # once out of reach, out of reach


def test_even_steps_part_the_range(x):
    _, weights = coded(Thermometer(levels=3), x)
    low, high = x.min(), x.max()
    assert np.allclose(weights["thresholds"], low + (high - low) * np.array([0.25, 0.5, 0.75]), atol=1e-6)
    bits, _ = coded(Thermometer(levels=1), x)
    assert np.array_equal(bits[..., 0], np.where(x >= np.float32((low + high) / 2), 1.0, -1.0))


def test_quantiles_part_the_values(x):
    bits, _ = coded(Thermometer(levels=4, method="quantile"), x)
    shares = (bits > 0).mean((0, 1, 2))
    assert np.allclose(shares, [0.8, 0.6, 0.4, 0.2], atol=0.01)


def test_bits_stand_in_a_new_axis_or_widen_the_last():
    assert Thermometer(levels=6).specs(IMAGES)[0].shape == (4, 5, 6)
    assert Thermometer(levels=6, axis="last").specs(IMAGES)[0].shape == (4, 30)
    assert BitPlanes(bits=3, axis="last").specs(IMAGES)[0].shape == (4, 15)


@settings(deadline=None)
@given(bits=st.integers(1, 12), seed=st.integers(0, 100))
def test_bit_planes_add_up_to_the_level(bits, seed):
    x = np.random.default_rng(seed).uniform(-3, 3, (6, 4, 5)).astype(np.float32)
    planes, _ = coded(BitPlanes(bits=bits), x)
    low, high = x.min(), x.max()
    level = ((planes > 0) * 2.0 ** np.arange(bits)).sum(-1)
    top = 2**bits - 1
    assert level.min() == 0
    assert level.max() == top
    assert np.abs(level - (x - low) / (high - low) * top).max() <= 0.5 + 1e-3 * top / 255


def test_what_training_did_not_see_is_clipped(x):
    node = BitPlanes(bits=4)
    _, weights = coded(node, x)
    (words,) = node.predictor(weights, IMAGES)(np.where(x > 0, 1e6, -1e6).astype(np.float32))
    bits = bits_as_real(words, node.specs(IMAGES)[0])
    assert np.array_equal(bits, np.where(x[..., None] > 0, 1.0, -1.0) * np.ones(4))


def test_data_of_one_value_is_coded_too():
    x = np.full((3, 4, 5), 2.0, np.float32)
    bits, _ = coded(BitPlanes(bits=2), x)
    assert np.all(bits == -1)
    bits, _ = coded(Thermometer(levels=2), x)
    assert np.all(bits == 1)


@pytest.mark.parametrize("width", PRECISIONS)
def test_an_embedding_looks_its_row_up_at_every_width(width):
    spec = Spec("real", (3,))
    node = Embedding(levels=5, dimensions=70, weight_bits=width)
    weights = node.start(np.random.default_rng(1), spec)
    x = np.array([[0, 1, 4], [2.4, -3, 99]], np.float32)
    operator = node.operator(weights, 2, spec)
    (trained,) = operator.execute(x)
    (shipped,) = node.predictor(node.pack(weights, spec), spec)(x)
    assert trained.shape == (2, 3, 70)
    assert np.array_equal(trained, shipped)
    assert np.array_equal(shipped[1, 1], shipped[0, 0])
    assert np.array_equal(shipped[1, 2], shipped[0, 2])
    if width == "1":
        assert np.allclose(shipped[0, 0], np.sign(weights["weight"][0]) * np.abs(weights["weight"][0]).mean())
    if width == "32":
        assert np.array_equal(shipped[0, 1], weights["weight"][1])


def test_gradients_add_up_in_the_rows_that_were_looked_up():
    spec = Spec("real", (3,))
    node = Embedding(levels=5, dimensions=4, weight_bits="32")
    operator = node.operator(node.start(np.random.default_rng(1), spec), 2, spec)
    operator.execute(np.array([[0, 1, 1], [4, 1, 0]], np.float32))
    dy = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    assert operator.gradient(dy) == (None,)
    (weight,) = operator.parameters()
    expected = np.zeros((5, 4), np.float32)
    for row, g in zip((0, 1, 1, 4, 1, 0), dy.reshape(-1, 4), strict=True):
        expected[row] += g
    assert np.array_equal(weight.grad, expected)


def test_categories_have_rows_of_their_own_and_one_for_a_gap():
    columns = (Column("colour", ("blue", "red")), Column("size", ("s", "m", "l")))
    spec = Spec("facts", (2,), columns=columns)
    node = Embedding(dimensions=8, weight_bits="32")
    assert node.specs(spec) == (Spec("real", (2, 8)),)
    weights = node.start(np.random.default_rng(1), spec)
    assert weights["weight"].shape == (7, 8)
    facts = np.array([[0, 0], [1, 2], [np.nan, 3]])
    (out,) = node.predictor(node.pack(weights, spec), spec)(facts)
    assert np.array_equal(out.reshape(6, 8), weights["weight"][[0, 3, 1, 5, 2, 6]])


def test_an_embedding_of_numbers_among_facts_is_refused():
    spec = Spec("facts", (1,), columns=(Column("age"),))
    with pytest.raises(ShapeError, match="age holds numbers"):
        Embedding().specs(spec)
