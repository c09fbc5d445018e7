"""logic/examine.py: every finding against brute force."""

import itertools

import numpy as np
import pytest
from rule_sets import form_of, random_form

from engine.logic.examine import examined
from engine.logic.normal import AtLeast
from engine.logic.solver import Solver


@pytest.fixture(scope="module")
def solver():
    made = Solver()
    yield made
    made.close()


def test_findings_are_those_of_brute_force(solver):
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(120):
        k = int(rng.integers(1, 7))
        form = random_form(rng, k, int(rng.integers(0, 2 * k)))
        every = np.array(list(itertools.product((False, True), repeat=k)), bool)
        holds = form.holds(every)
        allowed = every[holds.all(1)]
        found = examined(form, solver)
        assert found.satisfiable == bool(len(allowed))
        seen.add(found.satisfiable)
        if not found.satisfiable:
            _check_core(holds, found.core)
            continue
        assert found.never == tuple(np.flatnonzero(~allowed.any(0)))
        assert found.always == tuple(np.flatnonzero(allowed.all(0)))
        witnesses = dict(found.witnesses)
        for rule in range(len(form.rules)):
            alone = (holds.sum(1) == len(form.rules) - 1) & ~holds[:, rule]
            assert (rule in found.redundant) == (not alone.any())
            assert (rule in witnesses) == alone.any()
            if rule in witnesses:
                held = form.holds(witnesses[rule][None])[0]
                assert np.flatnonzero(~held).tolist() == [rule]
        assert not found.open
    assert seen == {True, False}


def test_a_rule_of_several_constraints_is_broken_by_any_of_them(solver):
    form = form_of(3, [AtLeast((1, 2, 3), 1, rule=0), AtLeast((-1, -2, -3), 2, rule=0), AtLeast((1,), 1)])
    found = examined(form, solver)
    assert found.always == (0,)
    assert found.never == (1, 2)
    assert [i for i, _ in found.witnesses] == [0]
    values = found.witnesses[0][1]
    assert values[0]
    assert values.sum() >= 2


def test_what_no_time_is_left_for_is_open(solver):
    form = random_form(np.random.default_rng(1), 30, 200, planted=2)
    found = examined(form, solver, 0.002)
    assert found.satisfiable is True
    assert len(found.open) > 0
    assert len(found.open) + len(found.witnesses) + len(found.redundant) == 200


def _check_core(holds, core):
    assert not holds[:, list(core)].all(1).any()
    for i in core:
        assert holds[:, [j for j in core if j != i]].all(1).any()
