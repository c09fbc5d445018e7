"""XML from strangers: no document type, no entity of its own, nothing fetched, limits on size and depth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn
from xml.parsers import expat

from ...errors import RuleError

MOST_DEPTH = 100
MOST_ELEMENTS = 200_000


@dataclass
class Element:
    """One element.

    Attributes:
        name: without its prefix.
        attributes: by name, without prefixes.
        line, column: where it begins, from 1.
        text: what stands directly inside, joined.
        children: the elements inside.
    """

    name: str
    attributes: dict[str, str]
    line: int
    column: int = 1
    text: str = ""
    children: list[Element] = field(default_factory=list)

    @property
    def place(self) -> str:
        """Return where it begins, in words."""
        return f"line {self.line}, column {self.column}"

    def all(self, name: str) -> list[Element]:
        """Return the children of that name."""
        return [child for child in self.children if child.name == name]

    def first(self, name: str) -> Element | None:
        """Return the first child of that name, None where there is none."""
        return next((child for child in self.children if child.name == name), None)

    def words(self, *path: str) -> str:
        """Return the text inside the first element along `path`, spaces trimmed; "" where there is none."""
        here: Element | None = self
        for name in path:
            here = here.first(name) if here else None
        return here.text.strip() if here else ""


def parse_xml(text: str) -> Element:
    """Return the root element.

    Raises:
        RuleError: it is no XML, has a document type, or is too large or deep; `where` is line and column.
    """
    building = _Building()
    parser: Any = expat.ParserCreate("utf-8")
    building.place = lambda: (parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)
    parser.buffer_text = True
    parser.StartElementHandler = building.start
    parser.EndElementHandler = building.end
    parser.CharacterDataHandler = building.data
    parser.StartDoctypeDeclHandler = building.refuse
    parser.EntityDeclHandler = building.refuse
    try:
        parser.Parse(text.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        words = f"It is no well-formed XML: {expat.ErrorString(error.code)}."
        raise RuleError(words, where=f"line {error.lineno}, column {error.offset + 1}") from None
    if building.root is None:
        raise RuleError("There is no element.", where="line 1")
    return building.root


class _Building:
    def __init__(self) -> None:
        self.root: Element | None = None
        self.place: Callable[[], tuple[int, int]] = lambda: (1, 1)
        self._open: list[Element] = []
        self._texts: list[list[str]] = []  # of each that is open: joined at its end, which takes linear time
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        plain = {key.split(":")[-1]: value for key, value in attributes.items()}
        made = Element(name.split(":")[-1], plain, *self.place())
        self._count += 1
        if self._count > MOST_ELEMENTS or len(self._open) >= MOST_DEPTH:
            what = f"{MOST_ELEMENTS:,} elements" if self._count > MOST_ELEMENTS else f"{MOST_DEPTH} levels"
            raise RuleError(f"It has more than {what}.", where=made.place)
        if self._open:
            self._open[-1].children.append(made)
        elif self.root is None:
            self.root = made
        self._open.append(made)
        self._texts.append([])

    def end(self, _: str) -> None:
        self._open.pop().text = "".join(self._texts.pop())

    def data(self, text: str) -> None:
        if self._texts:
            self._texts[-1].append(text)

    def refuse(self, *_: object) -> NoReturn:
        words, (line, column) = "A document type or an entity of its own is not read.", self.place()
        raise RuleError(words, where=f"line {line}, column {column}", do="Take <!DOCTYPE ...> out.")
