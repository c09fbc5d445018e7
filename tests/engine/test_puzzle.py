"""logic/puzzle.py and its kernels: implicit hitting sets against brute force, the diagram, RC2."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from puzzles import random_puzzle
from rule_sets import brute_force, check, form_of, random_records

from engine.kernels import repair_cores, repair_cover, repair_levels, repair_puzzle
from engine.kernels.jit import plain
from engine.logic.normal import AtLeast
from engine.logic.ordering import widest_cut
from engine.logic.parts import parts_of
from engine.logic.pipeline import FEASIBLE, OPTIMAL, PUZZLE, RC2, Engine
from engine.logic.puzzle import puzzle_of
from engine.logic.solver import Solver
from engine.logic.sudoku import CELLS, allowed_by, drawn, sudoku


@pytest.fixture(scope="module")
def boards():
    return drawn(12, 30, 7)


@pytest.fixture(scope="module")
def solver():
    made = Solver()
    yield made
    made.close()


def test_it_costs_what_brute_force_finds_on_thousands_of_puzzles():
    rng = np.random.default_rng(1)
    answers = dead = 0
    for _ in range(1_500):
        form = random_puzzle(rng, int(rng.integers(1, 5)), 4, given=int(rng.integers(0, 3)))
        predicted, costs = random_records(rng, len(form.variables), 4)
        expected = brute_force(form, predicted, costs)
        check(form, predicted, costs, Engine(form, only="puzzle")(predicted, costs), expected)
        answers += int((expected > 0).sum())
        dead += int((expected < 0).sum())
    assert answers > 1_000
    assert dead > 1_000


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(4, 9), st.integers(2, 6), st.integers(0, 60))
def test_it_costs_what_the_diagram_says(seed, cells, width, pairs):
    rng = np.random.default_rng(seed)
    form = random_puzzle(rng, cells, width, pairs=pairs, needs=2)
    predicted, costs = random_records(rng, len(form.variables), 6, most=1_000)
    expected = Engine(form, only="diagram")(predicted, costs).costs
    check(form, predicted, costs, Engine(form, only="puzzle")(predicted, costs), expected)


def test_drawn_puzzles_have_their_clues_and_no_other_solution(boards):
    given_, solutions = boards
    puzzle = puzzle_of(parts_of(sudoku())[0])
    assert ((given_ > 0).sum(1) == 30).all()
    assert (solutions[given_ > 0] == given_[given_ > 0]).all()
    digits = np.eye(9, dtype=bool)[solutions - 1].reshape(len(solutions), -1)
    assert sudoku().holds(digits).all()
    values, found, sure = puzzle.completed(allowed_by(given_), 10_000)
    assert np.array_equal(values, digits)
    assert found.all()
    assert sure.all()
    for board, solution in zip(given_, solutions, strict=True):
        others = np.repeat(allowed_by(board[None]), CELLS, 0)
        others[np.arange(CELLS), np.arange(CELLS) * 9 + solution - 1] = False
        assert not puzzle.completed(others, 100_000)[1].any()
    assert not puzzle.completed(allowed_by(given_), 10_000, wanted=2)[1].any()
    again = drawn(2, 30, 7)
    assert np.array_equal(again[0], given_[:2])


def _misread(boards, rng, share):
    """Return predicted values and costs of boards of which `share` of the clues are read as another digit."""
    given_, _ = boards
    clue = given_ > 0
    read = np.where(clue & (rng.random(given_.shape) < share), rng.integers(1, 10, given_.shape), given_)
    predicted = (read[:, :, None] == np.arange(1, 10)).reshape(len(given_), -1)
    costs = rng.integers(1, 5_000, predicted.shape) * np.repeat(clue, 9, axis=1)
    return predicted, costs


def test_boards_cost_what_rc2_finds_and_are_found_in_any_batch(boards, solver):
    predicted, costs = _misread(boards, np.random.default_rng(2), 0.1)
    engine = Engine(sudoku(), solver=solver)
    made = engine(predicted, costs)
    assert sudoku().holds(made.values).all()
    assert set(made.tool.tolist()) == {PUZZLE}
    assert set(made.status.tolist()) == {OPTIMAL}
    found = engine.agreement(predicted, costs, made, 8, within=60.0)
    assert (found.solved, found.agreed) == (8, 8)
    alone = engine(predicted[5:6], costs[5:6])
    assert np.array_equal(alone.values[0], made.values[5])
    assert made.words(0)[1] == "puzzle"


def test_out_of_steps_rc2_takes_over_and_out_of_time_the_best_so_far_stands(boards, solver):
    predicted, costs = _misread(boards, np.random.default_rng(3), 0.3)
    sure = Engine(sudoku())(predicted, costs)
    few = Engine(sudoku(), steps=60, solver=solver)(predicted[:4], costs[:4])
    assert np.array_equal(few.costs, sure.costs[:4])
    assert RC2 in few.tool
    hurried = _Late()
    late = Engine(sudoku(), steps=400, solver=hurried)(predicted, costs)
    hurried.close()
    unproven = late.status == FEASIBLE
    assert unproven.any()
    assert PUZZLE in late.tool[unproven]
    assert np.array_equal(((late.values != predicted) * costs).sum(1), late.costs)
    assert (late.costs >= sure.costs).all()
    assert sudoku().holds(late.values).all()


class _Late(Solver):
    def cheapest(self, key, form, record, seconds):
        return None  # as where the process had to be killed


def test_what_is_no_puzzle_is_not_taken_for_one():
    cell = [AtLeast((1, 2), 1), AtLeast((-1, -2), 1)]
    assert puzzle_of(parts_of(form_of(2, cell))[0]).cells == ((0, 1),)
    others = [
        [*cell, AtLeast((1, -2), 1)],  # an implication
        [*cell, AtLeast((-1, -2, -3), 1)],  # at most two of three
        [*cell, AtLeast((2, 3), 1)],  # 3 is in no cell
        [*cell, AtLeast((1, 2), 2, (1, 2))],
    ]
    for constraints in others:
        form = form_of(3, constraints)
        assert all(puzzle_of(part) is None for part in parts_of(form))
        with pytest.raises(ValueError, match="not those of a puzzle"):
            Engine(form, only="puzzle")(np.ones((1, 3), bool), np.ones((1, 3), np.int64))
    assert puzzle_of(parts_of(form_of(1, [AtLeast((1,), 1)], given=1))[0]) is None


def test_a_narrow_puzzle_is_left_to_the_diagram():
    chain = []
    for at in range(1, 60, 2):
        chain += [AtLeast((at, at + 1), 1), AtLeast((-at, -at - 1), 1), AtLeast((-at - 1, -at - 2), 1)]
    form = form_of(62, [*chain, AtLeast((61, 62), 1), AtLeast((-61, -62), 1)])
    assert widest_cut(parts_of(form)[0]) <= 3
    made = Engine(form)(np.ones((1, 62), bool), np.ones((1, 62), np.int64))
    assert made.words(0)[:2] == ("optimal", "diagram")
    assert widest_cut(parts_of(sudoku())[0]) > 64


def test_the_kernels_are_what_python_runs(monkeypatch):
    rng = np.random.default_rng(5)
    forms = [random_puzzle(rng, 5, 4, given=1, pairs=12) for _ in range(25)]
    records = [random_records(rng, len(form.variables), 3) for form in forms]
    compiled = [Engine(f, only="puzzle")(*r) for f, r in zip(forms, records, strict=True)]
    for room in (repair_cover, repair_levels, repair_cores, repair_puzzle):
        for name, value in vars(room).items():
            if hasattr(value, "py_func"):
                monkeypatch.setattr(room, name, plain(value))
    monkeypatch.setattr("engine.logic.puzzle.solve_rows", repair_puzzle.solve_rows)
    for form, record, made in zip(forms, records, compiled, strict=True):
        slow = Engine(form, only="puzzle")(*record)
        assert np.array_equal(slow.values, made.values)
        assert np.array_equal(slow.costs, made.costs)
