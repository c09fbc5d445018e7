"""logic/anytime.py and budgets of the pipeline: bounds from below, answers from above, honest statuses."""

from __future__ import annotations

import time

import numpy as np
import pytest
from pysat.formula import WCNF
from pysat.solvers import Solver as Sat
from rule_sets import form_of, random_form, random_records

from engine.logic.anytime import Soft, cheapest
from engine.logic.diagram import diagram_of
from engine.logic.normal import AtLeast
from engine.logic.parts import parts_of
from engine.logic.pipeline import FEASIBLE, OPTIMAL, Engine
from engine.logic.solver import Solver


@pytest.fixture(scope="module")
def solver():
    made = Solver()
    yield made
    made.close()


def _three(variables, count, seed):
    """Return random 3-clauses that one planted assignment keeps."""
    rng = np.random.default_rng(seed)
    planted, found = rng.random(variables) < 0.5, []
    while len(found) < count:
        chosen, signs = rng.choice(variables, 3, replace=False), rng.choice([-1, 1], 3)
        if ((2 * planted[chosen] - 1) == signs).any():
            found.append(((chosen + 1) * signs).tolist())
    return found


def _asked(clauses, variables, seed, seconds):
    rng = np.random.default_rng(seed)
    literals = (np.arange(1, variables + 1) * rng.choice([-1, 1], variables)).tolist()
    soft = Soft(literals, rng.integers(1, 1_000, variables).tolist())
    formula = WCNF()
    formula.nv, formula.hard = variables, clauses
    formula.soft, formula.wght = [[x] for x in literals], list(soft.costs)
    with Sat(name="g4", bootstrap_with=clauses) as solver:
        return soft, cheapest(solver, formula, [], soft, seconds)


def test_with_time_it_proves_and_without_it_keeps_the_clauses_near_the_least():
    clauses = _three(60, 220, 1)
    soft, sure = _asked(clauses, 60, 2, 20.0)
    assert sure["proven"]
    least = soft.cost(sure["values"])
    assert sure["bound"] == least
    same, quick = _asked(clauses, 60, 2, 0.0)
    model = quick["values"]
    assert all(any(model[abs(x) - 1] == x for x in clause) for clause in clauses)
    assert least <= same.cost(model) <= 1.5 * least
    assert quick["bound"] <= least


def test_what_is_far_beyond_its_time_ends_in_time_with_a_bound_and_an_answer():
    clauses = _three(200, 600, 1)
    began = time.monotonic()
    soft, found = _asked(clauses, 200, 2, 1.0)
    assert time.monotonic() - began < 10
    assert not found["proven"]
    assert 0 < found["bound"] < soft.cost(found["values"])
    assert soft.cost(found["values"]) < sum(soft.costs) / 2


def test_where_nothing_goes_there_are_no_values():
    soft = Soft([1], [5])
    for clauses in ([[1], [-1]], [[1, 2], [1, -2], [-1, 2], [-1, -2]]):
        with Sat(name="g4", bootstrap_with=clauses) as solver:
            found = cheapest(solver, None, [], soft, 1.0)
            assert found == {"values": None, "proven": True, "bound": 0}


def test_a_batch_out_of_time_gets_what_is_found_at_once_with_its_bounds(solver):
    rng = np.random.default_rng(5)
    form = random_form(rng, 24, 50, weighted=0.0, planted=3)
    predicted, costs = random_records(rng, 24, 30, most=100)
    least = Engine(form, only="diagram")(predicted, costs).costs
    made = Engine(form, only="rc2", solver=solver)(predicted, costs, within=0.0)
    open_ = made.status == FEASIBLE
    assert open_.any()
    assert form.holds(made.values).all()
    assert (made.bounds <= least).all()
    assert (least <= made.costs).all()
    assert np.array_equal(made.costs[~open_], least[~open_])
    assert np.array_equal(made.bounds[~open_], least[~open_])
    whole = Engine(form, only="rc2", solver=solver)(predicted, costs)
    assert np.array_equal(whole.bounds, least)


@pytest.mark.parametrize("seed", [0, 1])
def test_thousands_of_dense_clauses_are_repaired_within_seconds(seed, solver):
    clauses = _three(100, 2_000, seed)
    form = form_of(100, [AtLeast(tuple(c), 1, (), i) for i, c in enumerate(clauses)])
    rng = np.random.default_rng(seed + 100)
    predicted, costs = rng.random((3, 100)) < 0.5, rng.integers(1, 1_000, (3, 100))
    began = time.process_time()
    made = Engine(form, solver=solver)(predicted, costs)
    assert time.process_time() - began < 20
    assert (made.status == OPTIMAL).all()
    assert form.holds(made.values).all()
    assert diagram_of(parts_of(form)[0]) is None
