"""logic/clauses.py: sums as clauses, against every assignment."""

import itertools
import json
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysat.solvers import Solver

from engine.errors import RuleError, SolverError
from engine.logic import clauses
from engine.logic.clauses import clauses_of, read, told
from engine.logic.normal import AtLeast


@st.composite
def sums(draw):
    count = draw(st.integers(1, 6))
    variables = draw(st.permutations(range(1, 7)))[:count]
    literals = tuple(v * draw(st.sampled_from([-1, 1])) for v in variables)
    weights = draw(st.one_of(st.just(()), st.tuples(*[st.integers(1, 7)] * count)))
    return AtLeast(literals, draw(st.integers(1, sum(weights or (1,) * count) + 1)), weights)


# Bounds of the choice under which every encoding comes up at such small sizes.
CHOICES = [{}, {"_PAIRS": 0}, {"_COUNTER": 0}, {"_COUNTER": 0, "_LARGE": 1}, {"_DIAGRAM": 0}]


@settings(max_examples=150, deadline=None)
@given(st.lists(sums(), max_size=3), st.booleans(), st.sampled_from(CHOICES))
def test_the_clauses_can_be_kept_exactly_where_the_sums_hold(constraints, guarded, choice):
    guards = list(range(7, 7 + len(constraints))) if guarded else None
    with pytest.MonkeyPatch.context() as patch:
        for name, value in choice.items():
            patch.setattr(clauses, name, value)
        _, form = told(constraints, 6 + len(constraints) * guarded, guards, [[6, -6]])
        coded = read(json.loads(json.dumps(form)))
    with Solver(name="glucose4", bootstrap_with=coded.clauses) as solver:
        for values in itertools.product((False, True), repeat=6):
            given_ = [v if true else -v for v, true in enumerate(values, 1)]
            held = [_holds(c, values) for c in constraints]
            assert solver.solve(given_ + (guards or [])) == all(held)
            if guards:
                free = [g if h else -g for g, h in zip(guards, held, strict=True)]
                assert solver.solve(given_ + free)


@pytest.mark.parametrize("size", [(6, 5), (40, 39), (20, 10), (100, 50), (300, 150)])
def test_counts_of_every_size_hold_and_fail_at_their_bound(size):
    count, bound = size
    coded = clauses_of([AtLeast(tuple(range(1, count + 1)), bound)], count)
    with Solver(name="glucose4", bootstrap_with=coded.clauses) as solver:
        rng = np.random.default_rng(0)
        for true in (bound - 1, bound, bound + 1):
            values = rng.permutation(np.arange(count) < true)
            assert solver.solve([v if t else -v for v, t in enumerate(values, 1)]) == (true >= bound)


def test_large_weights_take_few_clauses_and_hold_and_fail_at_their_bound():
    rng = np.random.default_rng(0)
    weights = tuple(int(w) for w in rng.integers(1, 1000, 40))
    bound = sum(weights) // 2
    coded = clauses_of([AtLeast(tuple(range(1, 41)), bound, weights)], 40)
    assert len(coded.clauses) < 10_000
    with Solver(name="glucose4", bootstrap_with=coded.clauses) as solver:
        for _ in range(50):
            values = rng.random(40) < 0.5
            held = int(np.array(weights) @ values) >= bound
            assert solver.solve([v if t else -v for v, t in enumerate(values.tolist(), 1)]) == held


def test_sums_that_need_too_many_clauses_are_refused(monkeypatch):
    monkeypatch.setattr(clauses, "MOST_CLAUSES", 1_000)
    with pytest.raises(RuleError, match="more than 1,000 clauses"):
        clauses_of([AtLeast(tuple(range(1, 101)), 50)], 100)


@pytest.mark.parametrize("missing", ["pindakaas", "pysat.card"])
def test_without_the_encoders_the_error_says_what_to_install(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, "pysat.pb" if missing == "pindakaas" else missing, None)
    weights = (3, 2, 2, 1) if missing == "pindakaas" else ()
    with pytest.raises(SolverError, match=r"pip install 'polybit\[logic\]'"):
        clauses_of([AtLeast((1, 2, 3, 4), 4 if weights else 2, weights)], 4)


def _holds(constraint, values):
    true = [values[abs(x) - 1] == (x > 0) for x in constraint.literals]
    return (
        sum(w for w, t in zip(constraint.weights or (1,) * len(true), true, strict=True) if t)
        >= constraint.bound
    )
