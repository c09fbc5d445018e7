"""What the board guard shows of its answers: whole boards, as read and as they are after repair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np

from ..guard import BrokenRule, Case, Grid, Guarded, GuardRule, Part, Showing, Tally, alike, changes
from ..ports import F64, I64, Array
from .boards import UNITS, Cells, Classes, Read, cells_of, costs_of, single, solved, twice, units_of
from .normal import Bools
from .pipeline import FEASIBLE, STATUS, TOOLS, UNKNOWN
from .proper import NEVER
from .sudoku import BOX, CELLS, SIDE, VALUES
from .wording import listed

BLANK = "blank"
_SCORES, _FACTS = range(2)  # input ports
_ALONE = "no other solver is asked about boards"
_SINGLE = "no other solver is asked: MaxSAT cannot count solutions"
_SOLVABLE = "solution"  # the rule beside the units


class BoardShowing(Showing):
    """Shows boards.

    Args:
        classes: where the digits stand among the scores.
        places: where the columns of board and cell stand among the facts.
        seconds: how long one board may take in a what-if.
        single: whether a reading must have one solution only.
    """

    unit: ClassVar[str] = "board"

    def __init__(self, classes: Classes, places: tuple[int, int], seconds: float, *, single: bool) -> None:
        self._classes, self._places = classes, places
        self._seconds, self._single = seconds, single
        self.alone = _SINGLE if single else _ALONE
        words = [f"no digit stands twice in a {unit}" for unit in UNITS]
        whole = "exactly one full board goes" if single else "some full board goes"
        self.rules = (
            *(GuardRule(unit, said) for unit, said in zip(UNITS, words, strict=True)),
            GuardRule(_SOLVABLE, f"{whole} with what is read"),
        )

    def tally(self, seen: Guarded) -> Tally:
        cells, raw, done = self._seen(seen)
        case = np.full(len(np.asarray(seen.inputs[_SCORES])), -1, np.int64)
        case[cells.rows] = cells.boards
        left = self._left(done)
        return Tally(case, self._broken(cells, raw, done), left)

    def cases(self, seen: Guarded) -> tuple[Case, ...]:
        cells, raw, done = self._seen(seen)
        broken, left = self._broken(cells, raw, done), self._left(done)
        found = []
        for i in range(cells.size):
            rows = cells.rows[cells.boards == i]
            given = seen.take(rows).inputs
            told = self._case(raw[i], done, i, broken[i], left[i], {})
            number = f"{cells.numbers[i] + 1:g}"
            found.append(_with(told, given, f"Board {number}", int(rows.min())))
        return tuple(found)

    def again(self, case: Case, facts: F64, pins: Mapping[str, str]) -> Case:
        cells = self._cells(case.given)
        scores = np.asarray(case.given[_SCORES], np.float32)
        costs = costs_of(scores[cells.rows], cells, self._classes)
        for name, reading in pins.items():
            place, kept = _place(name), 0 if reading == BLANK else int(reading)
            paid = costs[0, place, kept]
            costs[0, place] = NEVER
            costs[0, place, kept] = paid if paid < NEVER else 0
        raw = self._raw(scores, cells)
        done = solved(costs, self._seconds, single=self._single)
        broken, left = self._broken(cells, raw, done), self._left(done)
        return alike(self._case(raw[0], done, 0, broken[0], left[0], pins), case)

    # Inside

    def _cells(self, inputs: tuple[Array | None, ...]) -> Cells:
        facts = np.asarray(inputs[_FACTS], np.float64)
        return cells_of(facts[:, self._places[0]], facts[:, self._places[1]])

    def _raw(self, scores: Array, cells: Cells) -> I64:
        """Return the boards as they are read, int64 (boards, 81), 0 for a blank cell."""
        raw = np.zeros((cells.size, CELLS), np.int64)
        raw[cells.boards, cells.places] = self._classes.read(scores[cells.rows])
        return raw

    def _seen(self, seen: Guarded) -> tuple[Cells, I64, Read]:
        """Return the cells, the boards as they were read, and what the guard made of them."""
        cells = self._cells(seen.inputs)
        solution = seen.outputs["solution"][cells.rows]
        out = seen.outputs["scores"][cells.rows]
        read, boards = np.zeros((2, cells.size, CELLS), np.int64)
        digits = solution[:, 0].astype(np.int64)
        boards[cells.boards, cells.places] = digits
        blank = np.isfinite(out[:, self._classes.blank]).any(1)
        read[cells.boards, cells.places] = np.where(blank, 0, digits)
        how = np.zeros((cells.size, 2), np.uint8)
        how[cells.boards] = solution[:, 1:]
        raw = self._raw(np.asarray(seen.inputs[_SCORES]), cells)
        return cells, raw, Read(read, boards, how[:, 0], how[:, 1])

    def _broken(self, cells: Cells, raw: I64, done: Read) -> Bools:
        """Return which rules each board as it was read breaks, bool (boards, rules)."""
        out = np.zeros((len(raw), len(self.rules)), np.bool_)
        every = Cells(
            np.arange(raw.size), np.repeat(np.arange(len(raw)), CELLS), np.tile(np.arange(CELLS), len(raw)),
            np.arange(len(raw), dtype=np.float64),
        )  # fmt: skip
        doubled = twice(every, raw.reshape(-1)).reshape(len(raw), CELLS, len(UNITS))
        out[:, : len(UNITS)] = doubled.any(1)
        changed = (raw != done.cells).any(1) | (done.status >= UNKNOWN)
        out[:, -1] = changed & ~out[:, : len(UNITS)].any(1)
        return out

    def _left(self, done: Read) -> Bools:
        out = np.zeros((len(done.cells), len(self.rules)), np.bool_)
        out[done.status >= UNKNOWN, -1] = True
        unsure = np.flatnonzero(done.status == FEASIBLE)
        if self._single and len(unsure):
            out[unsure, -1] = ~single(done.cells[unsure], self._seconds)
        return out

    def _case(
        self, raw: I64, done: Read, i: int, broken: Bools, left: Bools, pins: Mapping[str, str]
    ) -> Case:
        answered = bool(done.status[i] < UNKNOWN)
        doubles = _doubles(raw)
        parts = tuple(
            Part(
                name=_name(place),
                said=str(raw[place]) if raw[place] else "",
                fixed=str(done.boards[i, place] or "") if answered else "",
                changed=answered and bool(raw[place] != done.cells[i, place]),
                broken=tuple(d.unit for d in doubles if place in d.places),
                pins={**{str(d): f"Read it as {d}" for d in range(1, VALUES + 1)}, BLANK: "Read it as blank"},
                pinned=pins.get(_name(place), ""),
                given=bool(done.cells[i, place]),
            )
            for place in range(CELLS)
        )
        picture = Grid(parts, SIDE, BOX, "cell")
        rules = tuple(
            BrokenRule(rule.name, rule.words, facts=tuple(d.words for d in doubles if d.unit == rule.name))
            for rule, hit in zip(self.rules, broken, strict=True)
            if hit
        )
        status = STATUS[done.status[i]]
        return Case(
            said=changes(picture, fixed=False),
            fixed=_read(picture, done.cells[i]) if answered else "no board",
            status=status,
            why=_why(picture, rules, done.cells[i], answered=answered, pinned=bool(pins)),
            broken=rules,
            left=tuple(rule.name for rule, hit in zip(self.rules, left, strict=True) if hit),
            picture=picture,
            engine=TOOLS[done.tool[i]],
        )


def _with(case: Case, given: tuple[Array | None, ...], title: str, record: int) -> Case:
    return alike(case, Case("", "", "", "", (), given=given, title=title, record=record))


def _name(place: int) -> str:
    return f"r{place // SIDE + 1}c{place % SIDE + 1}"


def _place(name: str) -> int:
    row, column = name[1:].split("c")
    return (int(row) - 1) * SIDE + int(column) - 1


class _Double(NamedTuple):
    """A digit that stands twice in a row, column or box."""

    unit: str
    words: str
    places: frozenset[int]


def _doubles(board: I64) -> list[_Double]:
    found = []
    for unit, numbers in zip(UNITS, units_of(np.arange(CELLS)), strict=True):
        for number in range(SIDE):
            for digit in range(1, VALUES + 1):
                places = np.flatnonzero((numbers == number) & (board == digit)).tolist()
                if len(places) > 1:
                    times = "twice" if len(places) == 2 else f"{len(places)} times"
                    where = listed(tuple(map(_name, places)))
                    words = f"{digit} stands {times} in {unit} {number + 1}: {where}"
                    found.append(_Double(unit, words, frozenset(places)))
    return found


def _read(picture: Grid, cells: I64, most: int = 3) -> str:
    """Return in a line what the changed cells are read as."""
    parts = picture.changed
    named = [f"{part.name} {cells[_place(part.name)] or BLANK}" for part in parts[:most]]
    more = f" and {len(parts) - most} more" if len(parts) > most else ""
    return f"{', '.join(named)}{more}" if named else "as it was"


def _why(picture: Grid, rules: tuple[BrokenRule, ...], cells: I64, *, answered: bool, pinned: bool) -> str:
    beside = " with what is fixed" if pinned else ""
    if not answered:
        return f"No full board was found that goes{beside or ' with these cells'}."
    if not rules and not picture.changed:
        return "Its reading obeys every rule and leaves one board; it stands."
    fired = [fact for rule in rules for fact in rule.facts]
    because = fired[0] if fired else "What is read leaves no full board, or several" if rules else ""
    said = f"the likeliest reading{beside} that obeys every rule has {_read(picture, cells)}."
    return f"{because}; {said}" if because else f"{said[:1].upper()}{said[1:]}"
