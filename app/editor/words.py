"""The rule language as the editor sees it: pieces of a line to colour, and what may be written next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from engine.logic.completing import Completion, completions, tokens
from engine.logic.vocabulary import CLASS, Vocabulary

_BEGINS = re.compile(r"^[ \t]*rule\b", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class Piece:
    """A part of a line and what it is: a kind of engine.logic.completing, or `class`."""

    kind: str
    start: int
    length: int


def pieces(line: str) -> Iterator[Piece]:
    """Yield the pieces of one line; no text or remark goes on over the end of its line."""
    for span in tokens(line):
        named = span.kind == "keyword" and line[span.start : span.end].lower() == CLASS
        yield Piece("class" if named else span.kind, span.start, span.end - span.start)


def suggestions(before: str, vocabulary: Vocabulary) -> tuple[int, tuple[Completion, ...]]:
    """Return how many letters before the cursor are replaced, and what may stand there, best first.

    Args:
        before: the text up to the cursor.
        vocabulary: what there is to speak of.
    """
    begins = [found.start() for found in _BEGINS.finditer(before)]
    rule = before[begins[-1] :] if begins else before
    found = completions(rule, len(rule), vocabulary)
    return (len(rule) - found[0].start if found else 0), found
