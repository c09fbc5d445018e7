"""kernels/guard.py against plain NumPy: tests of facts with gaps, and the best class that is allowed."""

from __future__ import annotations

import numpy as np
import pytest

from engine.kernels.guard import best_allowed
from engine.logic.measures import Test, outcomes
from engine.logic.ruleset import RuleSet
from engine.logic.vocabulary import Vocabulary


def test_outcomes_are_those_of_each_test_alone():
    rng = np.random.default_rng(0)
    kinds = ("known", "among", "below", "at most")
    for _ in range(200):
        tests = []
        for _ in range(int(rng.integers(0, 9))):
            kind = kinds[rng.integers(4)]
            count = 0 if kind == "known" else int(rng.integers(1, 4))
            tests.append(Test(int(rng.integers(4)), kind, tuple(rng.integers(0, 4, count).astype(float))))
        facts = rng.choice([0, 1, 2, 3, np.nan, np.inf, -np.inf], (33, int(rng.integers(0, 5))))
        found = RuleSet(Vocabulary(), tests=tuple(tests)).outcomes(facts)
        assert found.dtype == np.int8
        assert np.array_equal(found, outcomes(tests, facts))


def test_facts_may_lie_in_any_order_in_memory():
    tests = (Test(1, "below", (2.0,)), Test(0, "among", ()))
    facts = np.asfortranarray(np.array([[0, 1.0], [5, 3.0]]))
    assert RuleSet(Vocabulary(), tests=tests).outcomes(facts).tolist() == [[1, 0], [0, 0]]


@pytest.mark.parametrize("soft", [False, True])
def test_the_best_allowed_class_is_that_of_plain_arrays(soft):
    rng = np.random.default_rng(1)
    for _ in range(100):
        rows, classes, n = (int(x) for x in rng.integers(1, 9, 3))
        allowed = rng.random((rows, classes)) < 0.6
        lost = rng.integers(0, 3, (rows, classes)) * 5_000 if soft else np.empty((0, 0), np.int64)
        scores = rng.choice(np.array([-1, 0, 0.5, 1, -np.inf], np.float32), (n, classes))
        told = rng.integers(0, rows, n)
        out, labels = np.empty((n, classes), np.float32), np.empty(n, np.int64)
        best_allowed(told, allowed, lost, 10_000.0, scores, out, labels)
        paid = (scores - lost[told] / 10_000).astype(np.float32) if soft else scores
        expected = np.where(allowed[told], paid, np.float32(-np.inf))
        assert out.tobytes() == expected.tobytes()
        dead = np.isneginf(expected).all(1)
        assert labels.tolist() == np.where(dead, -1, expected.argmax(1)).tolist()
