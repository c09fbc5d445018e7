"""Random rule sets and records, and repair by trying every assignment."""

import itertools

import numpy as np

from engine.logic.normal import AtLeast, NormalForm
from engine.logic.pipeline import NONE


def random_form(rng, variables, constraints, *, given=0, weighted=0.3, size=4, planted=0):
    """Return a random rule set: clauses, counts and weighted sums.

    It may be unsatisfiable, unless some random assignments are `planted`: these keep all its rules.
    """
    kept = rng.random((planted, variables)) < 0.5
    made = []
    while len(made) < constraints:
        count = int(rng.integers(1 if not planted else 2, min(size, variables) + 1))
        chosen = rng.choice(variables, count, replace=False) + 1
        literals = tuple(int(v) * int(rng.choice([-1, 1])) for v in chosen)
        weights = tuple(int(w) for w in rng.integers(1, 6, count)) if rng.random() < weighted else ()
        most = sum(weights) if weights else count
        bound = 1 if rng.random() < 0.5 else int(rng.integers(1, most + 1))
        one = AtLeast(literals, bound, weights, len(made))
        if form_of(variables, [one]).holds(kept).all():
            made.append(one)
    return form_of(variables, made, given=given)


def form_of(variables, constraints, *, given=0):
    names = tuple(f"x{v}" for v in range(1, variables + 1))
    rules = tuple(f"r{i}" for i in range(len(constraints)))
    zeros = np.zeros(variables, np.int64)
    return NormalForm(names, given, tuple(constraints), rules, zeros.astype(bool), zeros)


def random_records(rng, variables, count, *, most=9):
    """Return predicted values, bool (count, variables), and costs, int64: small ones, so that many tie."""
    return rng.random((count, variables)) < 0.5, rng.integers(0, most, (count, variables))


def brute_force(form, predicted, costs):
    """Return the least cost of each record, -1 where no assignment with its facts keeps the rules."""
    k = len(form.variables)
    every = np.array(list(itertools.product((False, True), repeat=k)), bool).reshape(-1, k)
    allowed = every[form.holds(every).all(1)]
    changed = allowed[None] != predicted[:, None]
    paid = (changed * costs[:, None]).sum(2)
    paid[changed[:, :, : form.given].any(2)] = np.iinfo(np.int64).max
    least = paid.min(1, initial=np.iinfo(np.int64).max)
    return np.where(least == np.iinfo(np.int64).max, -1, least)


def check(form, predicted, costs, decided, expected):
    """Assert that every answer costs what is expected, costs what it says, keeps the rules and the facts."""
    assert decided.costs.tolist() == expected.tolist()
    found = expected >= 0
    changed = decided.values != predicted
    assert np.array_equal((changed * costs).sum(1)[found], expected[found])
    assert form.holds(decided.values[found]).all()
    assert not changed[~found].any()
    assert not changed[:, : form.given].any()
    assert np.array_equal(decided.status == NONE, ~found)
    assert np.array_equal(decided.status == 0, form.holds(predicted).all(1))
