"""What a reader is, and the list of all there are: a new one is one decorated function in this room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...errors import RuleError
from ..dimacs import SUFFIXES as DIMACS
from ..files import text_of
from ..ruleset import RuleSet
from ..vocabulary import Vocabulary

MOST_BYTES = 4 << 20


@dataclass(frozen=True)
class Document:
    """Rules as they were read from a file of another language.

    Attributes:
        vocabulary: the variables that they speak of.
        text: the rules, in the rule language.
        notes: sentences about what of the file was left out, or read in a way that may surprise.
    """

    vocabulary: Vocabulary
    text: str
    notes: tuple[str, ...] = ()

    @property
    def rules(self) -> RuleSet:
        """Return the rules bound to their variables."""
        return RuleSet.over(self.text, self.vocabulary)


@dataclass(frozen=True)
class Reader:
    """One reader.

    Attributes:
        suffix: of the files it reads, with its dot.
        title: what such a file is called.
        read: from the text of a file to its rules; raises RuleError with `where` the line.
    """

    suffix: str
    title: str
    read: Callable[[str], Document]


READERS: dict[str, Reader] = {}  # by suffix


def reader(suffix: str, title: str) -> Callable[[Callable[[str], Document]], Callable[[str], Document]]:
    """Return the decorator that enters a function as the reader of files that end in `suffix`."""

    def enter(read: Callable[[str], Document]) -> Callable[[str], Document]:
        if suffix in READERS or suffix in DIMACS:
            raise ValueError(f"there is a reader of {suffix} already")
        READERS[suffix] = Reader(suffix, title, read)
        return read

    return enter


def read_rules(path: str | Path) -> Document:
    """Return the rules of a file, read by its suffix.

    Raises:
        RuleError: nothing reads its suffix, it is missing, too large or malformed; `where` is file and line.
    """
    path = Path(path)
    found = READERS.get(path.suffix.lower())
    if found is None:
        known = ", ".join(f"{each.suffix} ({each.title})" for each in READERS.values())
        words = f"Rules are read from {known} here; got {path.name[:80]!r}."
        raise RuleError(words, do="Give a file that ends so.")
    save = "Save the file as UTF-8."
    text = text_of(path, MOST_BYTES, split="Split it.", save=save, encoding="utf-8-sig")
    try:
        return found.read(text)
    except RuleError as error:
        raise error.at(path.name) from None
