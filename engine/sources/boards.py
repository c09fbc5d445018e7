"""The source of digit boards: images to learn digits from, and puzzles drawn with images held back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from ..errors import DataError
from ..fields import path as file_path
from ..fields import whole
from ..ports import F64, I64, Array, Column
from ..records import Header, Records
from ..source import Source
from .arrays import Named, records_of
from .idx import SUFFIXES, idx_shape, labels_beside, read_idx
from .opening import located, unreadable

CELLS, DIGITS = 81, 10
_MOST = 1 << 20  # bytes of a file of puzzles
_BLANK = "0."


@dataclass(frozen=True)
class DigitBoards(Source):
    """Digits to learn from, then boards: every cell of every puzzle as an image that was held back.

    The last images of the file are held back: they stand on boards alone, drawn with the seed among those of
    the digit (so an image may stand on several boards). A cell without a clue shows a 0. The facts `board`
    and `cell` number the boards and their 81 cells, row by row, from 0; they are gaps for the digits to learn
    from. To keep the boards for testing, let the Split take them as the last records of the file.

    Attributes:
        puzzles: one puzzle a line, 81 signs, 1 to 9 for a clue, 0 or a point for none.
        images: the IDX file of digits, its labels beside it.
        held_back: how many images at the end of the file are kept for boards.
        seed: where the draw of images starts.
    """

    kind: ClassVar[str] = "data.boards"
    title: ClassVar[str] = "Digit boards"
    icon: ClassVar[str] = "ph.number-square-nine"
    order: ClassVar[int] = 60
    summary: ClassVar[str] = "Digits to learn from, then Sudoku boards of 81 images that were held back"
    path_field: ClassVar[str] = "puzzles"

    puzzles: str = file_path("The puzzles, a line of 81 signs each", (".sdm",))
    images: str = file_path("The digits, such as train-images-idx3-ubyte.gz", SUFFIXES)
    held_back: int = whole(10_000, 0, 10_000_000, "Images at the end of the file that boards alone show")
    seed: int = whole(0, 0, 2**31 - 1, "Where the draw of images starts")

    def probe(self, folder: Path) -> Self:
        return replace(self, header=self._header(*self._told(folder)))

    def load(self, folder: Path, header: Header | None) -> tuple[Header, Records]:
        puzzles, place, digits = self._told(folder)
        images = read_idx(place)
        if len(digits) != len(images):
            words = f"There are {len(images)} images and {len(digits)} labels."
            raise DataError(words, where=str(place), do="Give files that belong together.")
        first = max(0, len(images) - self.held_back)
        drawn = first + _drawn(puzzles.reshape(-1), digits[first:], self.seed, str(place))
        rows = np.concatenate([np.arange(first), drawn])
        board, cell = np.divmod(np.arange(puzzles.size), CELLS)
        facts = {"board": _behind(first, board), "cell": _behind(first, cell)}
        named = Named(str(place), images[rows], digits[rows], None, facts)
        return records_of(named, header or self._header(puzzles, place, digits))

    def _header(self, puzzles: I64, images: Path, digits: Array) -> Header:
        # The images are not read for it: that takes a second or two.
        first = max(0, len(digits) - self.held_back)
        columns = (Column("board"), Column("cell"))
        classes = tuple(str(digit) for digit in np.unique(digits))
        return Header(idx_shape(images)[1:], classes, columns, first + puzzles.size)

    def _told(self, folder: Path) -> tuple[I64, Path, Array]:
        """Return the puzzles, where the images are, and their digits."""
        puzzles = read_puzzles(located(folder, self.puzzles, what="puzzles file"))
        place = located(folder, self.images, what="images file")
        return puzzles, place, _digits(place)


def read_puzzles(path: Path) -> I64:
    """Return the puzzles of a file, int64 (n, 81): 1 to 9 for a clue, 0 for none.

    Empty lines and those that begin with # are passed over.

    Raises:
        DataError: a line is no puzzle, there is none, or the file is too large or cannot be read.
    """
    where = str(path)
    try:
        if path.stat().st_size > _MOST:
            raise DataError(f"The file is larger than {_MOST} bytes.", where=where, do="Split it.")
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError as error:
        raise unreadable(error, where) from error
    found = []
    for number, line in enumerate(lines, 1):
        signs = line.strip()
        if not signs or signs.startswith("#"):
            continue
        if len(signs) != CELLS or not set(signs) <= set("123456789" + _BLANK):
            words = f"A puzzle is {CELLS} signs, 1 to 9, 0 or a point; got {len(signs)}: {signs[:20]!r}."
            raise DataError(words, where=f"{where}, line {number}")
        found.append([0 if sign in _BLANK else int(sign) for sign in signs])
    if not found:
        raise DataError("There are no puzzles.", where=where)
    return np.array(found, np.int64)


def _digits(images: Path) -> Array:
    place = labels_beside(images)
    if place is None:
        raise DataError("There is no labels file beside the images.", where=str(images))
    digits = read_idx(place)
    if digits.ndim != 1 or digits.size == 0 or digits.min() < 0 or digits.max() >= DIGITS:
        raise DataError("The labels are not digits from 0 to 9.", where=str(place))
    return digits


def _drawn(wanted: I64, digits: Array, seed: int, where: str) -> I64:
    """Return for each wanted digit the place of an image of it among `digits`."""
    rng = np.random.default_rng(seed)
    out = np.empty(len(wanted), np.int64)
    for digit in range(DIGITS):
        places = np.flatnonzero(digits == digit)
        here = wanted == digit
        if here.any() and not len(places):
            words = f"No image of a {digit} is held back."
            raise DataError(words, where=where, do="Hold back more images.")
        if here.any():
            out[here] = rng.choice(places, int(here.sum()))
    return out


def _behind(gaps: int, numbers: I64) -> F64:
    return np.concatenate([np.full(gaps, np.nan), numbers])
