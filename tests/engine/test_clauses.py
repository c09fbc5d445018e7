"""logic/clauses.py: sums as clauses, against every assignment."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysat.solvers import Solver

from engine.errors import RuleError
from engine.logic.clauses import clauses_of
from engine.logic.normal import AtLeast


@st.composite
def sums(draw):
    count = draw(st.integers(1, 6))
    variables = draw(st.permutations(range(1, 7)))[:count]
    literals = tuple(v * draw(st.sampled_from([-1, 1])) for v in variables)
    weights = draw(st.one_of(st.just(()), st.tuples(*[st.integers(1, 7)] * count)))
    return AtLeast(literals, draw(st.integers(1, sum(weights or (1,) * count) + 1)), weights)


@settings(max_examples=150, deadline=None)
@given(st.lists(sums(), max_size=3), st.booleans())
def test_the_clauses_can_be_kept_exactly_where_the_sums_hold(constraints, guarded):
    guards = list(range(7, 7 + len(constraints))) if guarded else None
    coded = clauses_of(constraints, 6 + len(constraints) * guarded, guards)
    with Solver(name="glucose4", bootstrap_with=coded.clauses) as solver:
        for values in itertools.product((False, True), repeat=6):
            given_ = [v if true else -v for v, true in enumerate(values, 1)]
            held = [_holds(c, values) for c in constraints]
            assert solver.solve(given_ + (guards or [])) == all(held)
            if guards:
                free = [g if h else -g for g, h in zip(guards, held, strict=True)]
                assert solver.solve(given_ + free)


def test_a_sum_that_needs_too_many_clauses_is_refused(monkeypatch):
    monkeypatch.setattr("engine.logic.clauses.MOST_CLAUSES", 1_000)
    rng = np.random.default_rng(0)
    weights = tuple(int(w) for w in rng.integers(1, 10**6, 40))
    with pytest.raises(RuleError, match="more than 1,000 clauses"):
        clauses_of([AtLeast(tuple(range(1, 41)), sum(weights) // 2, weights)], 40)


def _holds(constraint, values):
    true = [values[abs(x) - 1] == (x > 0) for x in constraint.literals]
    return (
        sum(w for w, t in zip(constraint.weights or (1,) * len(true), true, strict=True) if t)
        >= constraint.bound
    )
