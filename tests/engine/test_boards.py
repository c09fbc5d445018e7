"""sources/boards.py: digits to learn from, then boards of images that were held back."""

import numpy as np
import pytest
from boards import write_boards, write_idx

from engine.errors import DataError
from engine.sources.boards import DigitBoards, read_puzzles


@pytest.fixture
def source():
    return DigitBoards(puzzles="puzzles.sdm", images="images-idx3-ubyte", held_back=200, seed=4)


def test_boards_show_their_puzzle_with_images_that_are_held_back(tmp_path, source):
    puzzles, _ = write_boards(tmp_path)
    header, records = source.load(tmp_path, None)
    assert header == source.probe(tmp_path).header
    assert header.records == len(records) == 400 + 3 * 81
    assert header.shape == (10, 4)
    assert header.classes == tuple("0123456789")
    assert np.isnan(records.facts[:400]).all()
    boards = records.take(slice(400, None))
    assert np.array_equal(boards.facts[:, 0], np.repeat(np.arange(3), 81))
    assert np.array_equal(boards.facts[:, 1], np.tile(np.arange(81), 3))
    assert np.array_equal(boards.labels, puzzles.reshape(-1))
    assert np.array_equal(boards.samples.sum(2).argmax(1), boards.labels)
    learnt = {image.tobytes() for image in records.samples[:400]}
    assert not learnt & {image.tobytes() for image in boards.samples}


def test_the_draw_follows_the_seed_and_a_header_encodes_another_file(tmp_path, source):
    write_boards(tmp_path)
    header, records = source.load(tmp_path, None)
    again = source.load(tmp_path, header)[1]
    assert np.array_equal(again.samples, records.samples)
    other = DigitBoards(puzzles="puzzles.sdm", images="images-idx3-ubyte", held_back=200, seed=5)
    assert not np.array_equal(other.load(tmp_path, None)[1].samples, records.samples)
    none_to_learn = DigitBoards(puzzles="puzzles.sdm", images="images-idx3-ubyte", held_back=10_000)
    assert len(none_to_learn.load(tmp_path, None)[1]) == 3 * 81


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "There are no puzzles"),
        ("# nothing\n\n", "There are no puzzles"),
        ("1" * 80, "A puzzle is 81 signs"),
        ("." * 80 + "x", r"81 signs.*\.\.\."),
        ("0" * (1 << 21), "larger than"),
    ],
)
def test_files_that_are_no_puzzles_are_refused(tmp_path, text, words):
    (tmp_path / "p.sdm").write_text(text)
    with pytest.raises(DataError, match=words):
        read_puzzles(tmp_path / "p.sdm")


def test_images_that_do_not_serve_are_refused(tmp_path, source):
    write_boards(tmp_path)
    few = DigitBoards(puzzles="puzzles.sdm", images="images-idx3-ubyte", held_back=2)
    with pytest.raises(DataError, match="is held back"):
        few.load(tmp_path, None)
    write_idx(tmp_path / "labels-idx1-ubyte", np.arange(10))
    with pytest.raises(DataError, match="600 images and 10 labels"):
        source.load(tmp_path, None)
    write_idx(tmp_path / "labels-idx1-ubyte", np.full(600, 11))
    with pytest.raises(DataError, match="not digits"):
        source.probe(tmp_path)
    (tmp_path / "labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match="no labels file"):
        source.probe(tmp_path)
    with pytest.raises(DataError, match="puzzles file"):
        DigitBoards(images="images-idx3-ubyte").probe(tmp_path)
