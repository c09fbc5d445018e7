"""The rule language: from text to statements, with the line and column of whatever is wrong.

resources/help/rules.md explains it. Every rule is read by itself, so one that is wrong hides no other, and
rules that stand as they stood are not read again at the next keystroke. Names are not looked up here: that is
binding.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest

from ..errors import RuleError
from .formula import Statement
from .grammar import Feeder
from .lexicon import RESERVED, Piece, pieces
from .reading import MOST_COUNTED, MOST_DEPTH, statement_of

__all__ = ["MOST_BYTES", "MOST_COUNTED", "MOST_DEPTH", "MOST_RULES", "RESERVED", "Reading", "parse", "read"]

MOST_BYTES = 256 * 1024
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
    found = _rules(text)
    if len(found) > MOST_RULES:
        words = f"There are {len(found)} rules; {MOST_RULES} is the most."
        return Reading(errors=(RuleError(words, do="Split the rule set."),))
    statements: list[Statement] = []
    errors: list[RuleError] = []
    for rule, after in zip_longest(found, found[1:]):
        source = text[rule[0].start : rule[-1].end]
        end = (after[0].line, after[0].column) if after else None
        result = _read_rule(source, rule[0].line, rule[0].column, end)
        if isinstance(result, RuleError):
            errors.append(result)
        else:
            statements.append(result)
    return Reading(tuple(statements), tuple(errors))


def _rules(text: str) -> list[list[Piece]]:
    """Return the pieces of each rule, without comments; what stands before the first is a rule too."""
    rules: list[list[Piece]] = []
    for piece in pieces(text):
        if piece.kind == "comment":
            continue
        if piece.keyword == "rule" or not rules:
            rules.append([])
        rules[-1].append(piece)
    return rules


@lru_cache(maxsize=_MOST_KEPT)
def _read_rule(source: str, line: int, column: int, after: tuple[int, int] | None) -> Statement | RuleError:
    """Return the rule that `source` says, or what is wrong; `line` and `column` are where it begins."""
    try:
        found = [_moved(piece, line, column) for piece in pieces(source) if piece.kind != "comment"]
        feeder = Feeder(found)
        feeder.feed()
        return statement_of(feeder.finished(Piece("word", "rule", 0, *after) if after else None))
    except RuleError as error:
        return error


def _moved(piece: Piece, line: int, column: int) -> Piece:
    across = column - 1 if piece.line == 1 else 0
    return piece._replace(line=piece.line + line - 1, column=piece.column + across)
