"""The rule language: from text to statements, with the line and column of whatever is wrong.

resources/help/rules.md explains it. Every rule is read by itself, so one that is wrong hides no other, and
rules that stand as they stood are not read again at the next keystroke. Names are not looked up here: that is
binding.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest

from ..errors import RuleError
from .formula import Place, Statement, moved
from .grammar import Feeder
from .lexicon import RESERVED, beginnings, pieces
from .reading import MOST_COUNTED, MOST_DEPTH, statement_of

__all__ = ["MOST_BYTES", "MOST_COUNTED", "MOST_DEPTH", "MOST_RULES", "RESERVED", "Reading", "parse", "read"]

MOST_BYTES = 256 * 1024
MOST_PIECES = 50_000  # of one rule: words and signs that take a second to read
MOST_RULES = 2_000
_MOST_KEPT = 4_096  # rules that are remembered as read


@dataclass(frozen=True)
class Reading:
    """What a text says.

    Attributes:
        statements: the rules that could be read, in order.
        errors: what is wrong, in order; at most one a rule.
    """

    statements: tuple[Statement, ...] = ()
    errors: tuple[RuleError, ...] = ()


def parse(text: str) -> tuple[Statement, ...]:
    """Return the rules of `text` in order.

    Raises:
        RuleError: the text is not in the language, or is larger or deeper than anything a person writes;
            `where` is the line and column, counted from 1.
        SolverError: lark, the parser, is not installed.
    """
    reading = read(text)
    if reading.errors:
        raise reading.errors[0]
    return reading.statements


def read(text: str) -> Reading:
    """Return the rules of `text` that can be read and what is wrong with the others.

    Raises:
        SolverError: lark, the parser, is not installed.
    """
    size = len(text.encode(errors="replace"))
    if size > MOST_BYTES:
        words = f"The rules take {size // 1024:,} KiB; {MOST_BYTES // 1024} KiB is the most."
        return Reading(errors=(RuleError(words, do="Split the rule set."),))
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    found = _split(text)
    if len(found) > MOST_RULES:
        words = f"There are {len(found)} rules; {MOST_RULES} is the most."
        return Reading(errors=(RuleError(words, do="Split the rule set."),))
    statements: list[Statement] = []
    errors: list[RuleError] = []
    for rule, place in found:
        result = _read_at(rule, place, last=rule is found[-1][0])
        if isinstance(result, RuleError):
            errors.append(result)
        elif result is not None:
            statements.append(result)
    return Reading(tuple(statements), tuple(errors))


def _split(text: str) -> list[tuple[str, Place]]:
    """Return the text of each rule and where it begins; what stands before the first is one too."""
    begins = beginnings(text)
    if text[: begins[0] if begins else None].strip():
        begins.insert(0, 0)
    found: list[tuple[str, Place]] = []
    line, line_start, done = 1, 0, 0
    for start, end in zip_longest(begins, begins[1:], fillvalue=len(text)):
        breaks = text.count("\n", done, start)
        if breaks:
            line, line_start = line + breaks, text.rindex("\n", 0, start) + 1
        done = start
        found.append((text[start:end], Place(line, start - line_start + 1)))
    return found


@lru_cache(maxsize=_MOST_KEPT)
def _read_at(text: str, place: Place, *, last: bool) -> Statement | RuleError | None:
    """Return the rule that `text` says where it begins at `place`, or what is wrong; None for comments."""
    result = _read_rule(text, last=last)
    if result is None or place == Place():
        return result
    return _error_at(result, place) if isinstance(result, RuleError) else moved(result, place)


@lru_cache(maxsize=_MOST_KEPT)
def _read_rule(text: str, *, last: bool) -> Statement | RuleError | None:
    """Return the same as if it stood at the beginning, so that lines put in above change nothing."""
    found = [piece for piece in pieces(text) if piece.kind != "comment"]
    if not found:
        return None
    if len(found) > MOST_PIECES:
        words = f"The rule has {len(found):,} words and signs; {MOST_PIECES:,} is the most."
        return RuleError(words, where=str(Place(found[0].line, found[0].column)), do="Split the rule.")
    try:
        feeder = Feeder(found)
        feeder.feed()
        return statement_of(feeder.finished(None if last else _end_of(text)))
    except RuleError as error:
        return error


def _end_of(text: str) -> Place:
    return Place(text.count("\n") + 1, len(text) - text.rfind("\n"))


_WHERE = re.compile(r"line (\d+), column (\d+)")


def _error_at(error: RuleError, start: Place) -> RuleError:
    """Return the error of a rule that begins at `start`."""
    place = _WHERE.fullmatch(error.where)
    where = str(Place(int(place[1]), int(place[2])).after(start)) if place else str(start)
    return RuleError(error.what, where=where, why=error.why, do=error.do)
