"""logic/examine.py and lint/: every finding about a normal form against brute force."""

import itertools
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysat.solvers import Solver as Sat
from rule_sets import form_of, random_form

from engine.logic.clauses import read
from engine.logic.examine import Examined, examined
from engine.logic.lint.examination import Examination
from engine.logic.lint.question import Question
from engine.logic.messages import packed, unpacked
from engine.logic.normal import STRUCTURE, AtLeast
from engine.logic.solver import Solver


@pytest.fixture(scope="module")
def solver():
    made = Solver()
    yield made
    made.close()


def found_of(question, seconds=60.0, budgets=(3_000, 200_000)):
    _, asked = question.coded()
    coded = read(asked)
    with Sat(name="glucose4", bootstrap_with=coded.clauses) as sat:
        examination = Examination(asked, sat, coded.variables, budgets)
        while not examination.run(seconds):
            pass
        return Examined.of(examination.as_json())


def every_assignment(k):
    return np.array(list(itertools.product((False, True), repeat=k)), bool).reshape(-1, k)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.floats(0, 2))
def test_findings_are_those_of_brute_force(seed, variables, density):
    form = random_form(np.random.default_rng(seed), variables, int(density * variables))
    every = every_assignment(variables)
    holds = form.holds(every)
    found = found_of(Question.of(form))
    assert found.satisfiable == holds.all(1).any()
    if found.satisfiable:
        check_satisfiable(form, every, holds, found)
    else:
        check_cores(holds, found)


def check_cores(holds, found):
    assert found.core
    for core in found.cores:
        assert not holds[:, core].all(1).any()
        for i in core:
            assert holds[:, [j for j in core if j != i]].all(1).any()
    together = list(itertools.chain(*found.cores))
    assert len(together) == len(set(together))
    rest = [i for i in range(holds.shape[1]) if i not in together]
    assert holds[:, rest].all(1).any()


def check_satisfiable(form, every, holds, found):
    allowed, rules = every[holds.all(1)], range(len(form.rules))
    assert found.never == tuple(np.flatnonzero(~allowed.any(0)))
    assert found.always == tuple(np.flatnonzero(allowed.all(0)))
    alone = {i: (holds.sum(1) == len(rules) - 1) & ~holds[:, i] for i in rules}
    assert found.redundant == tuple(i for i in rules if not alone[i].any())
    assert [i for i, _ in found.witnesses] == [i for i in rules if alone[i].any()]
    for i, values in found.witnesses:
        assert np.flatnonzero(~form.holds(values[None])[0]).tolist() == [i]
    for i, reasons in found.implied.items():
        if i in found.vacuous:
            assert reasons == found.vacuous[i]
        else:
            check_reasons(holds, reasons, holds[:, i])
    left = [i for i in rules if i not in found.removable]
    assert not (holds[:, left].all(1) & ~holds.all(1)).any()
    for i in set(found.implied) - set(found.removable):
        less = [j for j in left if j != i]
        assert (holds[:, less].all(1) & ~holds[:, i]).any()
    check_vacuous(form, every, holds, found)
    check_pairs(holds, allowed, found)


def check_reasons(holds, reasons, implied):
    assert not (holds[:, reasons].all(1) & ~implied).any()
    for j in reasons:
        assert (holds[:, [r for r in reasons if r != j]].all(1) & ~implied).any()


def check_vacuous(form, every, holds, found):
    for i, c in enumerate(form.constraints):
        body = [-x - 1 for x in c.literals if x < 0]
        rests = holds[:, [j for j in range(len(form.rules)) if j != i]].all(1)
        asked = c.clause and 0 < len(body) < len(c.literals)
        assert (i in found.vacuous) == (asked and not (rests & every[:, body].all(1)).any())
        if i in found.vacuous:
            check_reasons(holds, found.vacuous[i], ~every[:, body].all(1))


def check_pairs(holds, allowed, found):
    for a, b in found.same:
        assert np.array_equal(holds[:, a], holds[:, b])
    leader = {}
    for a, b in found.equal:
        assert np.array_equal(allowed[:, a], allowed[:, b])
        leader[b] = leader.get(a, a)
    fixed = {*found.never, *found.always}
    for a, b in itertools.combinations([v for v in range(allowed.shape[1]) if v not in fixed], 2):
        together = leader.get(a, a) == leader.get(b, b)
        assert together == np.array_equal(allowed[:, a], allowed[:, b])


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_rule_over_helpers_fails_only_where_what_they_stand_for_fails(seed):
    rng = np.random.default_rng(seed)
    plain = random_form(rng, 4, 3, weighted=0.5)
    # A helper 5 that stands for a count or sum of 1 to 4, in rule 3: 5 or some literal.
    gate, literal = plain.constraints[0], int(rng.integers(1, 5)) * int(rng.choice([-1, 1]))
    weights = gate.weights or (1,) * len(gate.literals)
    defined = AtLeast((-5, *gate.literals), gate.bound, (gate.bound, *weights), STRUCTURE)
    rules = [*plain.constraints[1:], AtLeast((5, literal), 1, (), 3)]
    form = form_of(5, [defined, *rules])
    form = replace(form, rules=("r0", "r1", "r2", "r3"), constraints=tuple(form.constraints))
    question = Question(form, 4, np.arange(5) == 4, watched=(1, 2, 3, 4))
    found = found_of(question)
    every = every_assignment(4)
    there = plain.holds(every)
    last = there[:, 0] | (every[:, abs(literal) - 1] == (literal > 0))
    holds = np.stack([np.ones(16, bool), there[:, 1], there[:, 2], last], axis=1)
    assert found.satisfiable == holds.all(1).any()
    if found.satisfiable:
        alone = [((holds.sum(1) == 3) & ~holds[:, i]).any() for i in range(4)]
        assert found.redundant == tuple(i for i in range(4) if not alone[i])
        assert found.never == tuple(np.flatnonzero(~every[holds.all(1)].any(0)))
        for i, values in found.witnesses:
            row = np.flatnonzero((every == values[:4]).all(1))[0]
            assert np.flatnonzero(~holds[row]).tolist() == [i]


def test_soft_rules_that_cannot_all_be_kept_are_named():
    # kept variables 3 to 5; soft rules: 1, not 1, 2. The hard rule says nothing of them.
    constraints = [
        AtLeast((1, 2), 1, (), 0),
        AtLeast((-3, 1), 1, (), 1),
        AtLeast((-4, -1), 1, (), 2),
        AtLeast((-5, 2), 1, (), 3),
    ]
    form = form_of(5, constraints)
    form = replace(form, defaults=np.arange(5) > 1, costs=np.where(np.arange(5) > 1, 7, 0))
    found = found_of(replace(Question.of(form), watched=(1, 2)))
    assert found.satisfiable
    assert found.soft_core == (1, 2)
    assert found.implied == {}
    for rule, values in found.witnesses:
        broken = [(~values[0]) & (~values[1]), ~values[0], values[0], ~values[1]]
        assert broken[rule]
        assert not broken[0] or rule == 0


def test_the_solver_process_finds_the_same(solver):
    form = random_form(np.random.default_rng(5), 12, 30, planted=2)
    ours, theirs = found_of(Question.of(form)), examined(form, solver)
    assert theirs.satisfiable
    assert (theirs.never, theirs.always, theirs.redundant) == (ours.never, ours.always, ours.redundant)
    assert [i for i, _ in theirs.witnesses] == [i for i, _ in ours.witnesses]
    assert not theirs.open


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 130])
def test_models_come_back_from_the_solver_process_as_they_were(count):
    model = [v if v % 3 else -v for v in range(1, count + 1)]
    assert unpacked(packed(model), count).tolist() == [int(x > 0) for x in model]
    assert unpacked(packed(model), count + 9).tolist() == [int(x > 0) for x in model] + [0] * 9


def test_of_many_rules_over_many_variables_what_was_found_in_time_is_told(solver):
    rng = np.random.default_rng(0)
    variables = rng.permuted(np.tile(np.arange(1, 20_001), (3, 1)), axis=1).T
    signs = np.where(rng.random(variables.shape) < 0.5, 1, -1)
    literals = [row for row in (variables * signs).tolist() if len({*map(abs, row)}) == 3]
    form = form_of(20_000, [AtLeast(tuple(row), 1, rule=i) for i, row in enumerate(literals)])
    began = time.monotonic()
    found = examined(form, solver, 6.0)
    assert time.monotonic() - began < 6.0 + 4.0  # one for telling, the rest for a busy host
    assert found.satisfiable is not False
    for rule, values in found.witnesses[:5]:
        kept = form.holds(values[None])[0]
        assert [form.constraints[i].rule for i in np.flatnonzero(~kept)] == [rule]


def test_a_rule_of_several_constraints_is_broken_by_any_of_them(solver):
    form = form_of(3, [AtLeast((1, 2, 3), 1, rule=0), AtLeast((-1, -2, -3), 2, rule=0), AtLeast((1,), 1)])
    found = examined(form, solver)
    assert found.always == (0,)
    assert found.never == (1, 2)
    assert [i for i, _ in found.witnesses] == [0]
    values = found.witnesses[0][1]
    assert values[0]
    assert values.sum() >= 2


def test_what_no_time_is_left_for_is_open_and_comes_when_asked_again(solver):
    form = random_form(np.random.default_rng(1), 30, 200, planted=2)
    found = examined(form, solver, 0.002)
    assert found.satisfiable is True
    assert len(found.open) > 0
    assert len(found.open) + len(found.witnesses) + len(found.redundant) == 200
    assert not examined(form, solver, 20.0).open


def test_a_hundred_labels_under_three_hundred_rules_are_examined_slice_by_slice():
    form = random_form(np.random.default_rng(3), 100, 312, planted=4, weighted=0.0, size=3)
    found = found_of(Question.of(form), seconds=0.05)
    assert found.satisfiable
    assert not found.open
    assert len(found.witnesses) + len(found.redundant) == 312
