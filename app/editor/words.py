"""The rule language as the editor sees it: pieces to colour, and what may be written next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engine.logic.language import RESERVED
from engine.ports import Column

_PIECES = re.compile(
    r"""(?P<remark>\#.*)
    |(?P<text>"(?:[^"\\]|\\.)*"?)
    |(?P<number>(?<![\w.])[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w]))
    |(?P<word>[^\W\d][\w.]*)
    |(?P<sign><=|>=|!=|[=<>(){},:])""",
    re.VERBOSE,
)
_WORDS = RESERVED | {"rule", "class"}
_BEFORE = re.compile(r'(?P<quote>")?(?P<typed>[^\W\d][\w.]*|(?<=")[^"]*)?$')
_ASKED = re.compile(
    r'(?:(?P<word>[\w.]+)|"(?P<text>[^"\\]*)")\s*(?:=|!=|(?:not\s+)?in\s*\{[^{}]*)\s*"?[\w.]*$', re.ASCII
)
_NEW = re.compile(r"(?:^|\n)[ \t]*[a-z]*$")
MOST = 200  # suggestions at once

HELP: dict[str, tuple[str, str]] = {
    "rule": ("begins a rule; its name and a colon follow", "rule low_safety:"),
    "if": ("what must hold where something else does", "if safety = low then class = unacc"),
    "then": ("what holds where the condition does", "if safety = low then class = unacc"),
    "else": ("what holds where the condition does not", "if A then B else C"),
    "and": ("both hold", "safety = low and persons = 2"),
    "or": ("at least one holds", "safety = low or persons = 2"),
    "not": ("the opposite", "not (safety = low)"),
    "xor": ("exactly one of the two holds", "A xor B"),
    "iff": ("both hold or neither does", "A iff B"),
    "implies": ("the right holds wherever the left does", "safety = low implies class = unacc"),
    "exactly": ("so many of them hold", "exactly 2 of (A, B, C)"),
    "at": ("at most or at least so many of them hold", "at most 1 of (A, B, C)"),
    "in": ("one of these values", "service in {ftp, telnet}"),
    "is": ("asks whether the record has the fact", "TSH is known"),
    "known": ("the record has the fact", "TSH is known"),
    "missing": ("the record lacks the fact", "TSH is missing"),
    "because": ("the reason, shown wherever the rule is broken", 'because "low safety is unacceptable"'),
    "source": ("where the rule comes from", 'source "Quinlan 1987"'),
    "class": ("the answer", "class = unacc"),
}
FORMS: dict[str, tuple[str, str]] = {
    "if … then …": ("rule name: if condition then what holds", "rule name:\n  if  then class = "),
    "at most … of": ("at most so many of the parts hold", "at most 1 of (, )"),
    "exactly … of": ("exactly so many of the parts hold", "exactly 1 of (, )"),
}


@dataclass(frozen=True)
class Names:
    """What rules may speak of: the classes, and the columns of facts."""

    classes: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True)
class Piece:
    """A part of a line and what it is: `keyword`, `class`, `number`, `text`, `remark`, `sign` or `name`."""

    kind: str
    start: int
    length: int


@dataclass(frozen=True)
class Suggestion:
    """One thing that may be written.

    Attributes:
        text: what is written.
        kind: `word`, `column`, `value`, `class` or `form`.
        help: a few words on it.
        example: it in use, or "".
        title: what the list shows, where that is not the text.
    """

    text: str
    kind: str
    help: str = ""
    example: str = ""
    title: str = ""


def pieces(line: str) -> Iterator[Piece]:
    """Yield the pieces of one line; no rule goes on a text or a remark over the end of its line."""
    naming = False
    for found in _PIECES.finditer(line):
        kind = str(found.lastgroup)
        if kind == "word":
            word = found.group().lower()
            kind = "title" if naming else "class" if word == "class" else "name"
            kind = "keyword" if word in _WORDS and word != "class" else kind
            naming = word == "rule"
        else:
            naming = False
        yield Piece(kind, found.start(), len(found.group()))


def suggestions(before: str, names: Names) -> tuple[int, list[Suggestion]]:
    """Return how many letters before the cursor are replaced, and what may stand there, best first.

    Args:
        before: the text up to the cursor.
        names: what there is to speak of.
    """
    line = before.rpartition("\n")[2]
    if _in_remark(line):
        return 0, []
    found = _BEFORE.search(line)
    typed = (found.group("typed") or "") if found else ""
    quoted = bool(found and found.group("quote"))
    asked = _ASKED.search(before)
    if asked:
        wanted = list(_values(asked.group("word") or asked.group("text") or "", names))
    elif quoted:
        wanted = list(_columns(names))
    else:
        wanted = [*_columns(names), *_language(names, before)]
    near = [one for one in wanted if typed.lower() in (one.title or one.text).lower()]
    near.sort(key=lambda one: not (one.title or one.text).lstrip('"').lower().startswith(typed.lower()))
    return len(typed) + quoted, near[:MOST]


def _in_remark(line: str) -> bool:
    kinds = [piece.kind for piece in pieces(line)]
    return bool(kinds) and kinds[-1] == "remark"


def _values(subject: str, names: Names) -> Iterator[Suggestion]:
    if subject.lower() == "class":
        for name in names.classes:
            yield Suggestion(written(name), "class", "a class")
    for column in names.columns:
        if column.name == subject:
            for value in column.categories:
                yield Suggestion(written(value), "value", f"a value of {column.name}")


def _columns(names: Names) -> Iterator[Suggestion]:
    for column in names.columns:
        some = ", ".join(column.categories[:6]) + (" …" if len(column.categories) > 6 else "")
        yield Suggestion(written(column.name), "column", some or "a number")


def _language(names: Names, before: str) -> Iterable[Suggestion]:
    for word in sorted(_WORDS):
        help, example = HELP.get(word, ("", ""))
        yield Suggestion(word, "word", help, example)
    if _NEW.search(before):
        for title, (help, text) in FORMS.items():
            yield Suggestion(text, "form", help, text, title)


def written(name: str) -> str:
    """Return a name as it is written in rules: bare where it may be, else in quotes."""
    bare = re.fullmatch(r"[+-]?[\w.][\w.+-]*", name) and name.lower() not in _WORDS
    return name if bare else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
