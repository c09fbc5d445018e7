"""guard.py: what each guard shows is what it gave, and a what-if is what it would give."""

import itertools

import numpy as np
import pytest

from engine.guard import Grid, Guarded, changes
from engine.logic.board_guard import BoardGuard
from engine.logic.rules import Rules
from engine.logic.sequence import Sequence
from engine.logic.sudoku import drawn
from engine.node import Node
from engine.ports import Column, Spec

NAMES = ("a", "b", "c")
TABLE = (Column("big"), Column("kind", ("x", "y")))


def seen_by(node: Node, arrays, *specs):
    """Return what a node shows, and what it did with arrays."""
    given = node.predictor({}, *specs)(*arrays)
    outputs = dict(zip((port.name for port in node.outputs), given, strict=True))
    return node.showing(*specs), Guarded(tuple(arrays), outputs)


# Sequences


def sequences(n=40, steps=4, seed=0):
    rules = """rule r: precedence(a, b) because "a opens"
rule s weight 0.5: absence(c, 2)
rule f: if big > 0 then first(a)"""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 1, (n, steps, 3)).astype(np.float32)
    facts = np.stack([rng.integers(0, 2, n), rng.integers(0, 2, n)], axis=1).astype(np.float64)
    specs = (Spec("real", (steps, 3)), Spec("facts", (2,), columns=TABLE))
    return *seen_by(Sequence(events="a, b, c", rules=rules), (scores, facts), *specs), scores, facts


def test_sequences_are_told_as_the_guard_gave_them():
    showing, seen, scores, _ = sequences()
    tally, cases = showing.tally(seen), showing.cases(seen)
    assert [rule.name for rule in showing.rules] == ["r", "s", "f"]
    assert np.array_equal(tally.broken, seen.outputs["broken"] > 0)
    assert tally.broken.any()
    assert [case.record for case in cases] == list(range(len(scores)))
    for i, case in enumerate(cases):
        assert isinstance(case.picture, Grid)
        assert [p.said for p in case.picture.parts] == [NAMES[e] for e in scores[i].argmax(1)]
        assert [p.fixed for p in case.picture.parts] == [NAMES[int(e)] for e in seen.outputs["events"][i]]
        assert len(case.picture.changed) == seen.outputs["status"][i, 1]
        assert case.names == tuple(
            r.name for r, hit in zip(showing.rules, tally.broken[i], strict=True) if hit
        )
        assert case.left == tuple(r.name for r, hit in zip(showing.rules, tally.left[i], strict=True) if hit)
        assert any(p.broken for p in case.picture.parts) == bool(case.broken)
    assert "a opens" in {rule.reason for case in cases for rule in case.broken}


def test_a_step_that_is_fixed_stays_and_the_others_cost_least():
    showing, seen, scores, facts = sequences(12)
    for case in showing.cases(seen):
        told = showing.again(case, showing.facts(case), {"step 2": "b"})
        raw, big = scores[case.record].astype(np.float64), facts[case.record, 0] > 0
        best = max(
            (s for s in itertools.product(range(3), repeat=4) if s[1] == 1 and allowed(s, first=big)),
            key=lambda s: sum(raw[t, e] for t, e in enumerate(s)) - 0.5 * (s.count(2) >= 2),
        )
        assert [NAMES.index(p.fixed) for p in told.picture.parts] == list(best)
        assert told.picture.parts[1].pinned == "b"
        assert (told.record, told.title) == (case.record, case.title)
        assert showing.again(case, showing.facts(case), {}) == case


def allowed(sequence, *, first):
    """Whether every b comes after an a, and the first is one where that is asked for."""
    opened = all(e != 1 or 0 in sequence[:t] for t, e in enumerate(sequence))
    return opened and (not first or sequence[0] == 0)


def test_a_fact_that_is_changed_changes_which_rules_count():
    showing, seen, _, facts = sequences()
    case = next(c for c in showing.cases(seen) if "f" in c.names)
    assert facts[case.record, 0] == 1
    told = showing.again(case, np.array([0.0, 0.0]), {})
    assert told.names == tuple(name for name in case.names if name != "f")
    assert showing.again(case, np.array([np.nan, 0.0]), {}).names == told.names
    assert showing.used() == {0}


def test_steps_that_cannot_be_kept_leave_no_sequence():
    showing, seen, _, _ = sequences()
    case = showing.cases(seen)[0]
    told = showing.again(case, np.array([1.0, 0.0]), {"step 1": "c"})
    assert told.status == "none"
    assert "f" in told.why
    assert {p.fixed for p in told.picture.parts} == {""}


# Boards


BLANK_FIRST = Spec("scores", (10,), classes=tuple(str(d) for d in range(10)))
CELLS = Spec("facts", (2,), columns=(Column("board"), Column("cell")))


@pytest.fixture(scope="module")
def boards():
    """Four boards of 34 clues; on the second a clue is read wrong, on the third a blank cell is."""
    puzzles, solutions = drawn(4, 34, 5)
    rng = np.random.default_rng(1)
    scores = rng.normal(0, 0.1, (4, 81, 10)).astype(np.float32)
    np.put_along_axis(scores, puzzles[:, :, None], 6.0, axis=2)
    clue, blank = int(np.flatnonzero(puzzles[1])[0]), int(np.flatnonzero(puzzles[2] == 0)[0])
    row = puzzles[1].reshape(9, 9)[clue // 9]
    twice = int(row[(row > 0) & (row != puzzles[1, clue])][0])
    scores[1, clue, twice] = 7.0
    wrong = next(
        d for d in range(1, 10) if d not in puzzles[2].reshape(9, 9)[blank // 9] and d != solutions[2, blank]
    )
    scores[2, blank, wrong] = 7.0
    order = rng.permutation(4 * 81)  # the cells come in any order
    facts = np.stack([np.repeat(np.arange(4), 81), np.tile(np.arange(81), 4)], axis=1).astype(np.float64)
    arrays = (scores.reshape(-1, 10)[order], facts[order], None)
    return *seen_by(BoardGuard(), arrays, BLANK_FIRST, CELLS, None), puzzles, solutions, (clue, twice, blank)


def test_boards_are_told_as_wholes(boards):
    showing, seen, puzzles, solutions, (clue, _, blank) = boards
    tally, cases = showing.tally(seen), showing.cases(seen)
    assert showing.unit == "board"
    assert [case.title for case in cases] == ["Board 1", "Board 2", "Board 3", "Board 4"]
    assert tally.broken.any(1).tolist() == [False, True, True, False]
    assert not tally.left.any()
    assert tally.broken[1, 0]
    for i, case in enumerate(cases):
        assert [int(p.fixed) for p in case.picture.parts] == solutions[i].tolist()
        assert [p.given for p in case.picture.parts] == (puzzles[i] > 0).tolist()
        assert np.flatnonzero(tally.case == i).min() == case.record
    assert [p.name for p in cases[1].picture.changed] == [f"r{clue // 9 + 1}c{clue % 9 + 1}"]
    assert [p.name for p in cases[2].picture.changed] == [f"r{blank // 9 + 1}c{blank % 9 + 1}"]
    assert cases[2].fixed.endswith("blank")
    assert "row" in cases[1].names
    assert "stands twice in row" in cases[1].why
    assert (cases[0].said, cases[0].status) == ("as it was", "allowed")


def test_a_cell_that_is_fixed_stays(boards):
    showing, seen, puzzles, solutions, (clue, twice, _) = boards
    case, name = showing.cases(seen)[1], f"r{clue // 9 + 1}c{clue % 9 + 1}"
    told = showing.again(case, showing.facts(case), {name: str(twice)})
    values = np.array([int(p.fixed) for p in told.picture.parts]).reshape(9, 9)
    assert values.reshape(-1)[clue] == twice != solutions[1, clue]
    for group in (*values, *values.T, *values.reshape(3, 3, 3, 3).transpose(0, 2, 1, 3).reshape(9, 9)):
        assert sorted(group.tolist()) == list(range(1, 10))
    assert told.picture.parts[clue].pinned == str(twice)
    back = showing.again(case, showing.facts(case), {name: str(puzzles[1, clue])})
    assert [int(p.fixed) for p in back.picture.parts] == solutions[1].tolist()
    none = showing.again(case, showing.facts(case), {"r1c1": "5", "r1c2": "5"})
    assert (none.status, none.fixed) == ("none", "no board")


# Classes


def test_a_class_is_told_with_its_chances_and_asked_anew_with_other_facts():
    rng = np.random.default_rng(3)
    scores, facts = (
        rng.normal(0, 1, (30, 3)).astype(np.float32),
        rng.integers(0, 2, (30, 2)).astype(np.float64),
    )
    node = Rules(rules="rule r: if big > 0.5 then class != a\nrule k: if kind = y then class in {a, c}")
    specs = (Spec("scores", (3,), classes=NAMES), Spec("facts", (2,), columns=TABLE), None)
    showing, seen = seen_by(node, (scores, facts, None), *specs)
    assert showing.used() == {0, 1}
    for case in showing.cases(seen):
        i = case.record
        assert case.said == NAMES[scores[i].argmax()]
        assert case.fixed == NAMES[seen.outputs["scores"][i].argmax()]
        assert case.picture.raw.sum() == pytest.approx(1)
        assert case.picture.out == frozenset(np.flatnonzero(np.isneginf(seen.outputs["scores"][i])).tolist())
        free = showing.again(case, np.zeros(2), {})
        assert free.fixed == free.said == case.said
        assert showing.again(case, showing.facts(case), {}) == case


def test_many_changes_are_cut_short():
    showing, seen, _, _ = sequences()
    pictures = [case.picture for case in showing.cases(seen)]
    most = max(pictures, key=lambda p: len(p.changed))
    words = changes(most, fixed=False, most=1)
    assert words.endswith(f"and {len(most.changed) - 1} more")
    still = next(p for p in pictures if not p.changed)
    assert changes(still, fixed=True) == "as it was"
