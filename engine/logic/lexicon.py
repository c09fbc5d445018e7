"""The words and signs of the rule language: a text in pieces, each with its place, whatever stands in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

# Words that mean something here; as names or values they go in quotes.
RESERVED = frozenset(
    [
        "and",
        "at",
        "because",
        "class",
        "else",
        "exactly",
        "if",
        "iff",
        "implies",
        "in",
        "is",
        "known",
        "least",
        "missing",
        "most",
        "not",
        "of",
        "or",
        "rule",
        "source",
        "then",
        "xor",
    ]
)
# Words that mean something only where no name may stand.
SOFT = frozenset({"before"})

Kind = Literal["comment", "text", "range", "word", "tolerance", "operator", "mark", "open text", "strange"]

NUMBER = r"[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?"
_PIECES = re.compile(
    rf"""
      (?P<comment>\#[^\n]*)
    | (?P<text>"(?:[^"\\\n]|\\["\\])*")
    | (?P<range>{NUMBER}\.\.{NUMBER}(?![\w.+-]))
    | (?P<word>[+-]?[\w.][\w.+-]*)
    | (?P<tolerance>\+-|±)
    | (?P<operator><=|>=|!=|[=<>≤≥≠])
    | (?P<mark>[(){{}},:*/+×-])
    | (?P<open>"[^\n]*)
    | (?P<space>[ \t\n\f\r\u00a0]+)
    | (?P<strange>.)
    """,
    re.VERBOSE | re.DOTALL,
)
BARE = re.compile(r"[+-]?[\w.][\w.+-]*")
_QUOTED = r'"(?:[^"\\\n]|\\["\\])*"|"[^\n]*'
# Comments, texts in quotes, and where a rule begins; all else is passed over.
_BEGINS = re.compile(rf"#[^\n]*|{_QUOTED}|(?<![\w.+-])(?:rule|RULE)(?![\w.+-])")
_KEYWORDS = {written: word for word in RESERVED | SOFT for written in (word, word.upper())}
# As they begin a sentence; columns are named Class, and rules are found by their first word.
_CAPITALS = {word.title(): word for word in (RESERVED | SOFT) - {"class", "rule"}}
_KINDS: dict[str, Kind] = {"open": "open text"}


class Piece(NamedTuple):
    """One piece of a text: what it is, as it stands there, from where, and its line and column from 1."""

    kind: Kind
    text: str
    start: int
    line: int
    column: int

    @property
    def end(self) -> int:
        """Return where it ends."""
        return self.start + len(self.text)

    @property
    def keyword(self) -> str:
        """Return the word of the language that it is, in lower case, if it is written in one case; or ""."""
        return _KEYWORDS.get(self.text, "") if self.kind == "word" else ""

    @property
    def capital(self) -> str:
        """Return the word of the language that it is with a capital letter, in lower case; or ""."""
        return _CAPITALS.get(self.text, "") if self.kind == "word" else ""


def pieces(text: str) -> Iterator[Piece]:
    """Yield the pieces of a text in order, without spaces."""
    line, line_start = 1, 0
    for found in _PIECES.finditer(text):
        name = found.lastgroup or "strange"
        start = found.start()
        if name == "space":
            breaks = found.group().count("\n")
            if breaks:
                line, line_start = line + breaks, text.rindex("\n", 0, found.end()) + 1
            continue
        yield Piece(_KINDS.get(name, name), found.group(), start, line, start - line_start + 1)  # type: ignore[arg-type]


def begun(found: Sequence[Piece], at: int) -> str:
    """Return the keyword that a word with a capital letter is where a name may stand too, or "".

    It is one if something follows that could not follow a name: another word, a text, a bracket.
    """
    after = found[at + 1] if at + 1 < len(found) else None
    opens = after is not None and (after.kind == "text" or after.text in ("(", "{") or _opens(after))
    return found[at].capital if opens else ""


def _opens(piece: Piece) -> bool:
    """Whether a word may begin a condition, or is a name or number."""
    openers = ("", "if", "not", "exactly", "at", "class", "most", "least")
    return piece.kind == "word" and piece.keyword in openers


def beginnings(text: str) -> list[int]:
    """Return where the rules of a text begin, from 0."""
    return [found.start() for found in _BEGINS.finditer(text) if found.group() in ("rule", "RULE")]


def quoted(text: str) -> str:
    """Return a text as it stands in quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def unquoted(text: str) -> str:
    """Return what a text in quotes says."""
    return re.sub(r'\\(["\\])', r"\1", text[1:-1])


def written(text: str, *, as_text: bool = False) -> str:
    """Return a name or value as a rule writes it: bare where that reads back as the same."""
    bare = not as_text and BARE.fullmatch(text) and text.lower() not in RESERVED
    return text if bare else quoted(text)
