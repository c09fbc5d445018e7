"""What a reader is, and the list of all there are: a new one is one decorated function in this room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...errors import RuleError
from ..dimacs import SUFFIXES as DIMACS
from ..dimacs import read_dimacs
from ..lowering import lowered
from ..normal import NormalForm
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
        words = f"Rules are read from {', '.join(READERS)} here; got {path.name[:80]!r}."
        raise RuleError(words, do="Give a file that ends so.")
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            words = f"The file has {size:,} bytes; at most {MOST_BYTES:,} are read."
            raise RuleError(words, where=path.name, do="Split it.")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        words = f"Byte {error.start + 1} is no UTF-8 text."
        raise RuleError(words, where=path.name, do="Save the file as UTF-8.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RuleError(f"The file cannot be read ({reason}).", where=str(path)) from None
    try:
        return found.read(text)
    except RuleError as error:
        raise error.at(path.name) from None


def form_of(path: str | Path) -> NormalForm:
    """Return the rules of a file, DIMACS included, in normal form.

    Raises:
        RuleError: it is not of a kind that is read, or is malformed; `where` names file and line.
    """
    path = Path(path)
    if path.suffix.lower() in DIMACS:
        return read_dimacs(path)
    document = read_rules(path)
    try:
        return lowered(document.rules).form
    except RuleError as error:
        raise error.at(path.name) from None
