"""The whole numbers of clauses, read from the bytes of a DIMACS file in one pass."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel

U8 = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]

HARD = -1  # weight of a clause that must hold
MOST_WEIGHT = 1 << 40  # a million of them add up within 64 bits
_BAD = -(1 << 62)  # a word that is no number
_H = _BAD + 1
_MOST_DIGITS = 18  # of a number, which 64 bits hold then
_NEWLINE, _SPACE, _TAB, _MINUS, _ZERO, _NINE, _C, _SMALL_H = 10, 32, 9, 45, 48, 57, 99, 104


@kernel
def _ends(text: U8, at: int) -> bool:
    """Return whether no word goes on at a place."""
    return at >= text.size or text[at] == _NEWLINE or text[at] == _SPACE or text[at] == _TAB


@kernel
def word_at(text: U8, at: int) -> tuple[int, int]:
    """Return the number that stands at a place, _H for `h`, or _BAD, and where it ends."""
    if text[at] == _SMALL_H:
        return (_H if _ends(text, at + 1) else _BAD), at + 1
    negative = text[at] == _MINUS
    begin = at + 1 if negative else at
    i, number = begin, 0
    while i < text.size and i - begin < _MOST_DIGITS and _ZERO <= text[i] <= _NINE:
        number = number * 10 + int(text[i] - _ZERO)
        i += 1
    plain = i > begin and _ends(text, i) and (number > 0 or i == at + 1)
    if not plain:  # `-`, `1.5`, `-0`, `00`, too many digits
        return _BAD, i
    return (-number if negative else number), i


@kernel
def next_word(text: U8, at: int, line: int, fresh: bool) -> tuple[int, int]:
    """Return where the next word of a clause begins, or where the text ends, and its line.

    Args:
        text: uint8.
        at: where to look from.
        line: its number.
        fresh: whether that is where the line begins.
    """
    while at < text.size:
        if _ends(text, at):
            if text[at] == _NEWLINE:
                line += 1
                fresh = True
            at += 1
        elif fresh and text[at] == _C:
            while at < text.size and text[at] != _NEWLINE:
                at += 1
        else:
            break
    return at, line


@kernel
def weight_of(number: int, top: int, headed: bool) -> int:
    """Return the weight that a number says, HARD where the clause must hold, or _BAD where it is none.

    Args:
        number: what was read, _H for `h`.
        top: the weight of what must hold, 0 where there is none.
        headed: whether the text has a header, which knows no `h`.
    """
    if number == _H:
        return _BAD if headed else HARD
    if top > 0 and number == top:
        return HARD
    return number if 0 < number <= MOST_WEIGHT and (top == 0 or number < top) else _BAD


@kernel
def read_clauses(
    text: U8, head: I64, seen: I32, weights: I64, ends: I32, lines: I32, literals: I32, stop: I64
) -> int:
    """Return how many clauses were read, up to the first that is not plain.

    Plain are whole numbers with blanks between, and comments on lines of their own.

    Args:
        text: uint8, the text behind the header.
        head: int64 (4,): the number of its first line; 1 where each clause begins with its weight; the weight
            of what must hold, 0 for none; 1 where there is a header.
        seen: int32 (2 * most + 1,), zeros: room for the literals of a clause, of variables up to `most`.
        weights: int64 (clauses,), filled: a weight, HARD for what must hold and where clauses have none. More
            clauses than it has room for are not read.
        ends: int32 (clauses,), filled: where the literals of each clause end.
        lines: int32 (clauses,), filled: the line that each begins on.
        literals: int32, filled: the literals of all clauses, one that a clause repeats once; at least half as
            many as the text has bytes.
        stop: int64 (3,), filled: where the first clause that is not plain begins, and its line, at the end of
            the text where all are; and 1 where the text ends before that clause does.
    """
    most, weighted, stop[2] = seen.size // 2, head[1] == 1, 0
    count, filled, inside = 0, 0, False
    at, line = next_word(text, 0, head[0], True)
    while at < text.size:
        starts = not inside
        if starts:
            inside = True
            stop[0], stop[1] = at, line
        number, at = word_at(text, at)
        weighs = starts and weighted
        if number == _BAD or count == weights.size or (not weighs and abs(number) > most):  # `h` too
            return count
        if starts:
            weights[count], lines[count] = HARD, line
        if weighs:
            weights[count] = weight_of(number, head[2], head[3] == 1)
            if weights[count] == _BAD:
                return count
        elif number == 0:
            ends[count] = filled
            count += 1
            inside = False
        elif seen[number + most] <= count:
            seen[number + most] = count + 1
            literals[filled] = number
            filled += 1
        at, line = next_word(text, at, line, False)
    stop[2] = inside
    if not inside:
        stop[0], stop[1] = at, line
    return count
