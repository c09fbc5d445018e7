"""bench/boards.py: boards shown in digits of MNIST, our side against python-sat's."""

import numpy as np
import pytest

from engine.bench import boards
from engine.bench.pairs import Wanted
from engine.bench.sides import board_streams, ours_boards, pysat_boards


def _job(folder, **more):
    job = {"reader": "ridge", "digits": 2_000, "blank": "read", "seed": 2, "folder": str(folder)}
    return {**job, "records": 6, "sample": 3, **more}


@pytest.mark.parametrize("blank", ["given", "read"])
def test_our_side_costs_what_rc2_finds(tmp_path, blank):
    job = _job(tmp_path, blank=blank)
    ours_boards.make({**job, "name": "ours"})()
    pysat_boards.make({**job, "name": "theirs"})()
    ours, theirs = np.load(tmp_path / "ours.npy"), np.load(tmp_path / "theirs.npy")
    assert ours[:3].tolist() == theirs.tolist()
    with np.load(tmp_path / "became.npz") as became:
        assert became["right"].shape == became["alone"].shape == (6,)
        assert became["proven"].all()
        assert 0.5 < became["accuracy"] < 1


def test_boards_are_those_of_their_puzzles_and_the_first_are_a_longer_streams_first(tmp_path):
    made = board_streams.boards(_job(tmp_path), 6)
    clue = made.puzzles > 0
    assert (clue.sum(1) == board_streams.CLUES).all()
    assert np.array_equal(made.solutions[clue], made.puzzles[clue])
    costs = made.costs.reshape(6, 81, 9)
    digit = made.read > 0
    assert (np.take_along_axis(costs, np.maximum(made.read - 1, 0)[..., None], 2)[digit] == 0).all()
    assert (costs[~digit] == 0).all()
    assert np.array_equal(board_streams.boards(_job(tmp_path), 2).costs, made.costs[:2])


def test_what_became_of_the_boards_is_told_beside_the_costs(tmp_path):
    became = {"right": [True, True, False, True], "single": [True] * 4, "alone": [False] * 4}
    became |= {"proven": [True] * 4, "accuracy": 0.75}
    np.savez(tmp_path / "became.npz", **became)
    rows = []
    boards._became(boards.Reader("a reader", {"reader": "model"}, 4), rows)(tmp_path)
    told = [(row.ours, row.peer, row.ratio) for row in rows]
    assert told == [(0.75, 0.0, 3.0), (1.0, 0.0, 4.0), (1.0, 1.0, 1.0)]
    assert "75.00%" in rows[0].name
    assert boards.board_rows(Wanted(pairs=1), 0.0) == []


def test_the_model_that_is_shipped_is_the_projects():
    program = board_streams.load_model(board_streams.MODEL)
    assert program.source.kind == "data.boards"
    images = board_streams.read_idx(board_streams.IMAGES)[-60:]
    labels = board_streams.read_idx(board_streams.LABELS)[-60:]
    assert (program.answer(program.records(images)).labels == labels).mean() > 0.9
