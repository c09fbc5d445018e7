"""logic/board_guard.py: cells of a board are read together, in a node and in a whole program."""

import itertools

import numpy as np
import pytest
from boards import write_boards

from engine.bnn.dense import Dense
from engine.errors import RuleError
from engine.files.model import load_model, write_model
from engine.files.project import Project
from engine.flow.flatten import Flatten
from engine.flow.output import ClassifierOutput
from engine.flow.split import Split
from engine.flow.standardise import Standardise
from engine.logic.board_guard import BoardGuard
from engine.logic.pipeline import ALLOWED, OPTIMAL, Engine
from engine.logic.proper import NEVER, Proper, Reading
from engine.logic.sudoku import drawn, sudoku
from engine.node import ShapeError
from engine.ports import Column, Spec
from engine.settings import Training
from engine.sources.boards import DigitBoards
from engine.templates.sketch import End, Sketch
from engine.train.loop import train

PROPER = Proper(Engine(sudoku()))
SCORES = Spec("scores", (10,), classes=tuple("0123456789"))
FACTS = Spec("facts", (3,), columns=(Column("cell"), Column("x"), Column("board")))


def _asked(puzzles, rng, *, high=9.0):
    """Return scores that read the puzzles right, and facts, cell by cell."""
    flat = puzzles.reshape(-1)
    scores = rng.random((len(flat), 10)).astype(np.float32)
    scores[np.arange(len(flat)), flat] = high
    cell, board = np.arange(len(flat)) % 81, np.arange(len(flat)) // 81
    return scores, np.stack([cell, board, board + 7.0], axis=1)


def _predict(node, scores, facts):
    return node.predictor({}, SCORES, FACTS, None)(scores, facts, None)


@pytest.fixture(scope="module")
def boards():
    return drawn(4, 30, 3)


def test_boards_that_are_read_right_stand_and_are_completed(boards):
    puzzles, solutions = boards
    scores, facts = _asked(puzzles, np.random.default_rng(0))
    out, broken, left, solution = _predict(BoardGuard(), scores, facts)
    assert np.array_equal(out.argmax(1), puzzles.reshape(-1))
    assert np.array_equal(solution[:, 0], solutions.reshape(-1))
    assert (solution[:, 1] == ALLOWED).all()
    assert not broken.any()
    assert not left.any()
    kept = np.isfinite(out)
    assert np.array_equal(kept.sum(1), np.where(puzzles.reshape(-1) > 0, 1, 2))
    assert np.array_equal(out[kept], scores[kept])


def test_misread_cells_are_changed_to_the_likeliest_board(boards):
    puzzles, solutions = boards
    rng = np.random.default_rng(1)
    scores, facts = _asked(puzzles, rng)
    clue = np.flatnonzero(puzzles[0])[0]
    twin = np.flatnonzero(puzzles[0])[1]
    blank = np.flatnonzero(puzzles[0] == 0)[3]
    for cell, wrong in ((clue, solutions[0][twin]), (blank, solutions[0][blank] % 9 + 1)):
        scores[cell, wrong] = 9.5
    order = rng.permutation(len(scores))
    found = _predict(BoardGuard(), scores[order], facts[order])
    out, broken, left, solution = (array[np.argsort(order)] for array in found)
    assert np.array_equal(solution[:, 0], solutions.reshape(-1))
    assert (solution[:81, 1] == OPTIMAL).all()
    assert (solution[81:, 1] == ALLOWED).all()
    assert np.array_equal(out.argmax(1), puzzles.reshape(-1))
    assert not left.any()
    raw = scores.argmax(1)[:81].reshape(9, 9)
    twice = [(raw[r] == raw[r, c]).sum() > 1 and raw[r, c] > 0 for r in range(9) for c in range(9)]
    assert np.array_equal(broken[:81, 0], twice)


def test_a_board_costs_no_more_than_the_true_one_and_obeys_the_rules_whatever_is_read(boards):
    puzzles, _ = boards
    rng = np.random.default_rng(2)
    scores, facts = _asked(puzzles, rng)
    scores += rng.normal(0, 3, scores.shape).astype(np.float32)
    _, _, left, solution = _predict(BoardGuard(single=False), scores, facts)
    digits = np.eye(9, dtype=bool)[solution[:, 0].astype(int) - 1].reshape(len(puzzles), -1)
    assert sudoku().holds(digits).all()
    assert not left.any()


def test_a_clue_read_as_blank_is_found_again_where_the_puzzle_must_have_one_solution(boards):
    puzzles, solutions = boards
    scores, facts = _asked(puzzles[:1], np.random.default_rng(4))
    needed = None
    for cell in np.flatnonzero(puzzles[0]):
        fewer = puzzles[:1].copy()
        fewer[0, cell] = 0
        if not PROPER.single(fewer)[0]:
            needed = cell
    assert needed is not None
    scores[needed, 0] = 10.0
    loose = _predict(BoardGuard(single=False), scores, facts)
    assert loose[0].argmax(1)[needed] == 0
    out, _, _, solution = _predict(BoardGuard(), scores, facts)
    assert np.array_equal(out.argmax(1), puzzles[0])
    assert np.array_equal(solution[:, 0], solutions[0])
    assert (solution[:, 1] == OPTIMAL).all()


def test_readings_come_by_rising_cost_and_the_first_with_one_solution_is_taken(boards):
    """Beside every reading that differs from the cheapest in up to two cells, tried one by one."""
    puzzles, _ = boards
    rng = np.random.default_rng(5)
    costs = np.full((81, 10), NEVER)
    costs[np.arange(81), puzzles[1]] = 0
    loose = rng.choice(np.flatnonzero(puzzles[1]), 5, replace=False)
    costs[loose, 0] = 0
    costs[loose, puzzles[1][loose]] = rng.integers(1, 1_000, 5)
    cells = np.where(np.isin(np.arange(81), loose), 0, puzzles[1])
    tried = [cells]
    for kept in itertools.product((False, True), repeat=5):
        tried.append(cells.copy())
        tried[-1][loose[list(kept)]] = puzzles[1][loose[list(kept)]]
    paid = [int(costs[np.arange(81), one].sum()) for one in tried]
    single = PROPER.single(np.array(tried))
    least = min(c for c, one in zip(paid, single, strict=True) if one)
    first = Reading(cells, PROPER._cheapest(costs, np.ones((1, 81, 10), bool))[0].solution, 0, sure=True)
    assert not single[0]
    found = PROPER.of(costs, first, 60.0)
    assert (found.cost, found.sure) == (least, True)
    assert PROPER.of(costs, first, 0.0) == first._replace(sure=False)


def test_records_of_no_board_pass_and_cells_without_a_record_are_open(boards):
    puzzles, solutions = boards
    scores, facts = _asked(puzzles, np.random.default_rng(3))
    facts[5, 0] = np.nan
    clues = np.flatnonzero((puzzles.reshape(-1) > 0) | (np.arange(puzzles.size) == 5))
    out, _, _, solution = _predict(BoardGuard(blank=""), scores[clues], facts[clues])
    here = clues != 5
    assert np.array_equal(out[~here], scores[clues][~here])
    assert np.isnan(solution[~here]).all()
    if puzzles[0, 5] == 0:
        assert np.array_equal(solution[here, 0], solutions.reshape(-1)[clues[here]])
    assert (np.isfinite(out[here]).sum(1) == 1).all()
    alone = BoardGuard().predictor({}, SCORES, None, None)(scores, None, None)
    assert np.array_equal(alone[0], scores)
    assert BoardGuard().warnings(SCORES, None, None)


def test_what_cannot_be_a_board_is_refused():
    with pytest.raises(ShapeError, match="no class '9'"):
        BoardGuard().specs(Spec("scores", (9,), classes=tuple("012345678")), FACTS, None)
    with pytest.raises(ShapeError, match="no class 'empty'"):
        BoardGuard(blank="empty").specs(SCORES, FACTS, None)
    for cell in (81.0, -1.0, 2.5):
        with pytest.raises(RuleError, match="from 0 to 80"):
            _predict(BoardGuard(), np.zeros((1, 10), np.float32), np.array([[cell, 0, 0]]))


def _project(folder):
    sketch = Sketch()
    source = DigitBoards(puzzles="puzzles.sdm", images="images-idx3-ubyte", held_back=200)
    data = sketch.add("Boards", source.probe(folder))
    share = 100 * 20 * 81 / (400 + 20 * 81)
    shares = Split(train=95 - share, validation=5, test=share, test_part="last")
    split = sketch.add("Split", shares, data, End(data.node, "labels"), End(data.node, "facts"))
    flat = sketch.add("Flatten", Flatten(), sketch.add("Scale", Standardise(method="range_all"), split))
    scores = sketch.add("Scores", Dense(units=10, weight_bits="32"), flat)
    facts, labels = End(split.node, "facts"), End(split.node, "labels")
    guard = sketch.add("Guard", BoardGuard(), scores, facts, labels)
    sketch.add("Answer", ClassifierOutput(), guard, labels)
    training = Training(epochs=4, batch=16, rate=0.05)
    return Project(graph=sketch.graph, training=training, path=folder / "p.polybit")


def test_a_project_trains_past_the_guard_and_answers_board_by_board(tmp_path):
    puzzles, _ = write_boards(tmp_path, boards=20, ink=95, noise=150)
    project = _project(tmp_path)
    done = list(train(project))[-1]
    assert done.violations == 0
    assert done.accuracy > done.accuracy_raw > 0.9
    program = done.program
    records = program.source.load(tmp_path, program.source.header)[1].take(slice(400, None))
    answer = program.answer(records)
    assert (answer.labels == puzzles.reshape(-1)).mean() == pytest.approx(done.accuracy)
    assert answer.rules == ("row", "column", "box")
    assert answer.violations_raw > 0
    assert answer.violations == 0
    two = program.answer(records.take(slice(81, 243)))  # a board alone is answered as among others
    assert np.array_equal(two.scores, answer.scores[81:243])
    assert np.array_equal(program.predict(records.samples, records.facts), answer.labels)
    write_model(tmp_path / "m.h5", program, project)
    again = load_model(tmp_path / "m.h5").answer(records)
    assert np.array_equal(again.scores, answer.scores)
