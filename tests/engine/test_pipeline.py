"""logic/pipeline.py: every engine against brute force, alone and together; what answers say of themselves."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_sets import brute_force, check, form_of, random_form, random_records

from engine.logic.normal import AtLeast
from engine.logic.pipeline import (
    ALLOWED,
    CHECK,
    DIAGRAM,
    FEASIBLE,
    NONE,
    OPTIMAL,
    RC2,
    SEARCH,
    STATUS,
    TOOLS,
    UNKNOWN,
    Engine,
)
from engine.logic.ready import Ready
from engine.logic.solver import Solver

QUICK = ["diagram", "search", None]


@pytest.fixture(scope="module")
def solver():
    made = Solver()
    yield made
    made.close()


@pytest.mark.parametrize("only", QUICK)
def test_it_costs_what_brute_force_finds_on_thousands_of_rule_sets(only):
    rng = np.random.default_rng(1)
    for _ in range(700):
        k = int(rng.integers(1, 9))
        form = random_form(rng, k, int(rng.integers(0, 2 * k)), given=int(rng.integers(0, k)))
        predicted, costs = random_records(rng, k, 6)
        expected = brute_force(form, predicted, costs)
        check(form, predicted, costs, Engine(form, only=only)(predicted, costs), expected)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 8), st.integers(0, 14), st.integers(0, 7))
def test_any_rule_set_is_repaired_exactly(seed, k, constraints, facts):
    rng = np.random.default_rng(seed)
    form = random_form(rng, k, constraints, given=min(facts, k), size=8)
    predicted, costs = random_records(rng, k, 5)
    expected = brute_force(form, predicted, costs)
    for only in QUICK:
        check(form, predicted, costs, Engine(form, only=only)(predicted, costs), expected)


def test_rc2_alone_costs_what_brute_force_finds(solver):
    rng = np.random.default_rng(2)
    for _ in range(40):
        k = int(rng.integers(1, 8))
        form = random_form(rng, k, int(rng.integers(0, 2 * k)), given=int(rng.integers(0, k)))
        predicted, costs = random_records(rng, k, 5)
        made = Engine(form, only="rc2", solver=solver)(predicted, costs)
        check(form, predicted, costs, made, brute_force(form, predicted, costs))


def test_all_engines_cost_the_same_on_larger_rule_sets(solver):
    rng = np.random.default_rng(3)
    solved = 0
    for _ in range(12):
        form = random_form(rng, 24, 40, given=int(rng.integers(0, 3)), weighted=0.2, planted=3)
        predicted, costs = random_records(rng, 24, 12, most=10_000)
        swept = Engine(form, only="diagram")(predicted, costs)
        check(form, predicted, costs, swept, swept.costs)
        for only in ("search", "rc2", None):
            made = Engine(form, only=only, solver=solver)(predicted, costs)
            check(form, predicted, costs, made, swept.costs)
        solved += int((swept.costs >= 0).sum())
    assert solved > 30


def test_a_long_search_without_an_answer_comes_to_its_end():
    rng = np.random.default_rng(9)
    seen = 0
    for _ in range(30):
        form = random_form(rng, 16, 220, weighted=0.0, size=3)
        clauses = [c for c in form.constraints if len(c.literals) == 3]
        form = form_of(16, [replace(c, bound=1) for c in clauses])
        predicted, costs = random_records(rng, 16, 4, most=1_000)
        expected = Engine(form, only="diagram")(predicted, costs).costs
        assert Engine(form, only="search")(predicted, costs).costs.tolist() == expected.tolist()
        seen += int((expected < 0).all())
    assert 0 < seen < 30


def test_large_costs_are_added_up_in_64_bits():
    form = form_of(3, [AtLeast((1, 2), 1, rule=0), AtLeast((2, 3), 1, rule=1)])
    costs = np.array([[2**50, 2**51, 2**50 - 1], [5, 7, 3]])
    for only in QUICK:
        made = Engine(form, only=only)(np.zeros((2, 3), bool), costs)
        assert made.costs.tolist() == [2**51 - 1, 7]


def test_a_record_gets_the_same_answer_in_any_batch():
    rng = np.random.default_rng(4)
    form = random_form(rng, 12, 20, given=2, planted=3)
    predicted, costs = random_records(rng, 12, 300, most=3)
    whole = Engine(form)(predicted, costs)
    costs[100] = 2**40  # its neighbours are added up in 64 bits now
    for rows in (slice(0, 1), slice(37, 70), slice(0, 100)):
        part = Engine(form)(predicted[rows], costs[rows])
        assert np.array_equal(part.values, whole.values[rows])
    other = Engine(form)(predicted, costs)
    assert np.array_equal(np.delete(other.values, 100, 0), np.delete(whole.values, 100, 0))


def test_the_search_comes_up_for_air_so_that_a_signal_can_stop_a_large_batch(monkeypatch):
    rng = np.random.default_rng(5)
    engine = Engine(random_form(rng, 12, 20, given=2, planted=3), only="search")
    asked, search = [], Ready.search
    monkeypatch.setattr(Ready, "search", lambda *a: (asked.append(len(a[1])), search(*a))[1])
    predicted, costs = random_records(rng, 12, 1_000, most=3)
    whole = engine(predicted, costs)
    assert len(asked) > 1
    assert max(asked) <= 256
    alone = engine(predicted[-1:], costs[-1:])
    assert np.array_equal(whole.values[-1:], alone.values)


def test_no_rules_no_records_and_rules_that_nothing_keeps():
    free = Engine(form_of(2, []))
    assert free(np.ones((3, 2), bool), np.ones((3, 2), np.int64)).status.tolist() == [ALLOWED] * 3
    assert free(np.ones((0, 2), bool), np.ones((0, 2), np.int64)).costs.shape == (0,)
    for dead in ([AtLeast((), 1)], [AtLeast((1,), 1), AtLeast((-1,), 1)], [AtLeast((1, 2), 3)]):
        for only in QUICK:
            made = Engine(form_of(2, dead), only=only)(np.ones((2, 2), bool), np.ones((2, 2), np.int64))
            assert made.status.tolist() == [NONE] * 2
            assert made.costs.tolist() == [-1] * 2
            assert made.values.all()


def test_facts_that_leave_nothing_and_facts_that_break_a_rule_alone():
    rules = [AtLeast((-1, 3), 1), AtLeast((-1, -3), 1), AtLeast((-2,), 1), AtLeast((4,), 1)]
    form = form_of(4, rules, given=2)
    predicted = np.array([[True, False, True], [False, False, True], [False, True, True]])
    predicted = np.concatenate([predicted, [[False], [True], [False]]], axis=1)
    made = Engine(form)(predicted, np.ones((3, 4), np.int64))
    assert [made.words(i)[:2] for i in range(3)] == [
        ("none", "diagram"),
        ("allowed", "check"),
        ("none", "check"),
    ]
    assert made.words(2)[2] == "the facts alone break a rule"


def test_of_two_answers_that_cost_the_same_the_one_that_stands_is_kept():
    form = form_of(3, [AtLeast((1,), 1)])
    costs = np.zeros((1, 3), np.int64)
    for only in QUICK:
        made = Engine(form, only=only)(np.array([[False, True, False]]), costs)
        assert made.values.tolist() == [[True, True, False]]
        assert made.costs.tolist() == [0]


def test_the_compiled_check_is_the_plain_one():
    rng = np.random.default_rng(8)
    for _ in range(50):
        form = random_form(rng, 9, 12, given=3)
        values, _ = random_records(rng, 9, 40)
        engine = Engine(form)
        holds = form.holds(values)
        expected = np.stack([~holds[:, list(p.part.numbers)].all(1) for p in engine.parts], axis=1)
        assert np.array_equal(engine.broken(values), expected)


def test_independent_parts_are_repaired_apart():
    form = form_of(6, [AtLeast((2, 3), 1), AtLeast((-1, 4, 5), 2), AtLeast((1, 6), 1)], given=1)
    engine = Engine(form)
    assert [p.part.variables.tolist() for p in engine.parts] == [[1, 2], [0, 3, 4], [0, 5]]
    predicted = np.array([[True] + [False] * 5, [False] * 6])
    assert engine.broken(predicted).tolist() == [[True, True, False], [True, True, True]]
    assert engine(predicted, np.ones((2, 6), np.int64)).costs.tolist() == [3, 3]


def test_a_search_out_of_branchings_is_finished_by_a_large_diagram_or_by_rc2(solver, monkeypatch):
    rng = np.random.default_rng(5)
    form = random_form(rng, 24, 50, weighted=0.0, planted=3)
    predicted, costs = random_records(rng, 24, 30, most=100)
    expected = Engine(form, only="diagram")(predicted, costs).costs
    monkeypatch.setattr("engine.logic.ready.SMALL", -1)
    monkeypatch.setattr("engine.logic.pipeline.SWEPT", 1)
    for widest, tools in ((50_000, {DIAGRAM, SEARCH}), (0, {SEARCH, RC2})):
        made = Engine(form, branchings=1, widest=widest, solver=solver)(predicted, costs)
        check(form, predicted, costs, made, expected)
        assert set(made.tool.tolist()) - {CHECK} <= tools
        assert (RC2 if widest == 0 else DIAGRAM) in made.tool


@pytest.mark.parametrize("widest", [50_000, 0])
def test_what_an_unproven_search_wrote_is_not_taken_for_what_was_predicted(widest, solver, monkeypatch):
    monkeypatch.setattr("engine.logic.ready.SMALL", -1)
    monkeypatch.setattr("engine.logic.pipeline.SWEPT", 1)
    rng = np.random.default_rng(11)
    for branchings in (3, 8):
        form = random_form(rng, 24, 50, weighted=0.0, planted=3)
        predicted, costs = random_records(rng, 24, 60, most=100)
        expected = Engine(form, only="diagram")(predicted, costs).costs
        made = Engine(form, branchings=branchings, widest=widest, solver=solver)(predicted, costs)
        check(form, predicted, costs, made, expected)


def test_rc2_out_of_time_leaves_what_the_search_has_found_or_any_allowed_answer(monkeypatch):
    rng = np.random.default_rng(6)
    form = random_form(rng, 24, 50, weighted=0.0, planted=3)
    predicted, costs = random_records(rng, 24, 30, most=100)
    least = Engine(form, only="diagram")(predicted, costs).costs
    late = _Late()
    made = Engine(form, branchings=4, widest=0, solver=late)(predicted, costs)
    unproven = made.status == FEASIBLE
    assert set(made.tool[unproven].tolist()) <= {SEARCH, RC2}
    assert unproven.any()
    assert (made.costs >= least).all()
    assert form.holds(made.values[least >= 0]).all()
    assert np.array_equal(made.costs[~unproven], least[~unproven])
    paid = ((made.values != predicted) * costs).sum(1)
    assert np.array_equal(paid[made.costs >= 0], made.costs[made.costs >= 0])
    late.process.close()


def test_rc2_agrees_with_a_sample(solver):
    rng = np.random.default_rng(7)
    form = random_form(rng, 10, 16, given=2, planted=2)
    predicted, costs = random_records(rng, 10, 100)
    engine = Engine(form, solver=solver)
    decided = engine(predicted, costs)
    found = engine.agreement(predicted, costs, decided, 30)
    assert (found.sampled, found.solved, found.agreed) == (30, 30, 30)
    wrong = replace(decided, costs=decided.costs + 1)
    assert engine.agreement(predicted, costs, wrong, 30).agreed < 30
    assert found.words() == "RC2 agrees on 30 of 30 records that it solved once more."
    # Out of time for all of them it says how many it came to; a sample of none takes none.
    late = engine.agreement(predicted, costs, decided, 30, within=0.0)
    assert (late.sampled, late.solved, late.agreed) == (30, 0, 0)
    assert late.words().startswith(
        "RC2 agrees on 0 of 0 records that it solved once more (0 of 30 checked in "
    )
    # What was not proven claims nothing that could be wrong.
    open_ = replace(decided, status=np.full(100, FEASIBLE, np.uint8), costs=decided.costs + 1)
    assert engine.agreement(predicted, costs, open_, 30).sampled == 0


def test_where_a_solver_finds_nothing_in_time_the_record_says_so_and_the_others_are_answered():
    form = form_of(2, [AtLeast((1, 2), 1)])
    late = Engine(form, only="rc2", solver=_Late(never=True))
    decided = late(np.array([[False, False], [True, False]]), np.ones((2, 2), np.int64))
    assert decided.status.tolist() == [UNKNOWN, ALLOWED]
    assert decided.costs.tolist() == [-1, 0]
    assert not decided.values[0].any()
    assert decided.words(0) == (
        "unknown",
        "rc2",
        "the solver ran out of time; whether there is an allowed answer is not known",
    )


@pytest.mark.parametrize(
    ("predicted", "costs"),
    [
        (np.zeros((2, 3), bool), np.zeros((2, 2), np.int64)),
        (np.zeros((2, 2), bool), np.zeros((3, 2), np.int64)),
        (np.zeros((2, 2), bool), np.full((2, 2), -1)),
        (np.zeros((2, 2), bool), np.full((2, 2), 2**60)),
        (np.zeros((2, 2), np.int8), np.zeros((2, 2), np.int64)),
        (np.zeros((2, 2), bool), np.zeros((2, 2))),
    ],
)
def test_batches_that_do_not_fit_are_refused(predicted, costs):
    with pytest.raises(ValueError, match=r"expected|costs must"):
        Engine(form_of(2, []))(predicted, costs)


def test_every_status_and_tool_has_its_words():
    form = form_of(1, [AtLeast((1,), 1)])
    made = Engine(form)(np.zeros((1, 1), bool), np.ones((1, 1), np.int64))
    assert made.words(0)[:2] == ("optimal", "diagram")
    assert STATUS[OPTIMAL] == "optimal"
    assert TOOLS[RC2] == "rc2"


class _Late:
    """A solver whose RC2 never ends in time."""

    def __init__(self, *, never=False):
        self.process, self.never = Solver(), never

    def cheapest(self, key, form, record, seconds):
        return None if self.never else self.process.cheapest(key, form, record, 0)


def test_rc2_leaves_alone_a_last_variable_that_nothing_speaks_of():
    form = form_of(3, [AtLeast((1, 2), 1, (), 0)])
    predicted = np.array([[False, False, True], [True, False, False]])
    costs = np.array([[3, 2, 0], [1, 1, 0]], np.int64)
    engine = Engine(form)
    agreed = engine.agreement(predicted, costs, engine(predicted, costs), 2)
    assert (agreed.sampled, agreed.solved, agreed.agreed) == (2, 2, 2)
