"""The learning kernels of class memories against naive NumPy twins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.hdc.codes import random_codes, signs_of
from engine.hdc.retraining import packed_signs
from engine.kernels.counters import bundle_classes, retrain, retrain_quantized


def lesson(seed, n, classes, dimension):
    rng = np.random.default_rng(seed)
    vectors = random_codes(rng, n, dimension)
    labels, order = rng.integers(0, classes, n), rng.permutation(n)
    return (
        vectors,
        signs_of(vectors, dimension),
        labels,
        order,
        rng.normal(size=(classes, dimension)).astype("f4"),
    )


def naive_retrain(signs, labels, order, counters, rate, graded):
    right = 0
    for r in order:
        cosine = counters @ signs[r] / (np.linalg.norm(counters, axis=1) * np.sqrt(signs.shape[1]))
        said, true = int(cosine.argmax()), labels[r]
        right += said == true
        if said != true:
            counters[true] += rate * ((1 - cosine[true]) if graded else 1) * signs[r]
            counters[said] -= rate * ((1 - cosine[said]) if graded else 1) * signs[r]
    return right


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(2, 5), st.integers(33, 300), st.booleans())
def test_retraining_corrects_what_the_counters_get_wrong(seed, n, classes, dimension, graded):
    vectors, signs, labels, order, counters = lesson(seed, n, classes, dimension)
    expected = counters.astype(np.float64)
    count = naive_retrain(signs.astype(np.float64), labels, order, expected, 0.3, graded)
    assert retrain(vectors, labels, order, counters, 0.3, graded) == count
    np.testing.assert_allclose(counters, expected, atol=1e-4)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(2, 5), st.integers(33, 300))
def test_quantized_retraining_answers_with_signs_that_stay(seed, n, classes, dimension):
    vectors, signs, labels, order, counters = lesson(seed, n, classes, dimension)
    answers = (signs @ np.where(counters >= 0, 1, -1).T).argmax(1)
    expected = counters.copy()
    for r in order:
        if answers[r] != labels[r]:
            expected[labels[r]] += np.float32(0.5) * signs[r]
            expected[answers[r]] -= np.float32(0.5) * signs[r]
    right = retrain_quantized(vectors, labels, order, packed_signs(counters), counters, 0.5)
    assert right == (answers == labels).sum()
    np.testing.assert_array_equal(counters, expected)


@pytest.mark.parametrize("dimension", [1, 63, 64, 65, 200])
def test_bundles_are_sums_of_the_vectors_of_each_class(dimension):
    vectors, signs, labels, _, counters = lesson(3, 17, 4, dimension)
    expected = counters.copy()
    for row, label in zip(signs, labels, strict=True):
        expected[label] += row
    bundle_classes(vectors, labels, counters)
    np.testing.assert_array_equal(counters, expected)
