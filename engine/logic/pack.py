"""A domain pack, a value: named variables, rules over them with reasons and sources, and judged samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from .formula import Statement
from .language import parse
from .vocabulary import Vocabulary

Value = bool | int | float | str | tuple[str, ...]


@dataclass(frozen=True)
class Reference:
    """Where rules of a pack come from.

    Attributes:
        id: the word that a rule's `source` begins with; what follows it there says where to look.
        title: what it is called.
        url: where it can be read.
        licence: on what terms it stands there, or who holds the rights; rules restate its facts only.
        checked: when the rules that name it were compared with its text, as YYYY-MM-DD; "" if they were not.
        compared: what was compared, in a few words.
        read: addresses of the text that was read, where it was not read at `url`.
        unconfirmed: rules that name it and whose passage was not found then.
    """

    id: str
    title: str
    url: str
    licence: str = ""
    checked: str = ""
    compared: str = ""
    read: tuple[str, ...] = ()
    unconfirmed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sample:
    """A record that is judged.

    Attributes:
        name: what it shows.
        facts: values of given variables; one that is left out is a gap.
        answer: values of decided variables; one that is left out is not decided.
        keeps: whether it keeps every rule that must hold.
        breaks: the rules it breaks, soft ones too.
        stamps: when the events of a sequence happen, by its name: seconds since any moment, never falling,
            NaN where that is not known. Without them only the order of events counts.
        places: where they happen: degrees north and east, NaN where that is not known.
    """

    name: str
    facts: Mapping[str, Value]
    answer: Mapping[str, Value]
    keeps: bool = True
    breaks: tuple[str, ...] = ()
    stamps: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    places: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Pack:
    """Rules of one domain.

    Attributes:
        key: its name in files and parameters: the stem of its file.
        title: its name on screen.
        domain: the field it belongs to; packs are listed by it.
        about: what it is for, in a few sentences.
        licence: on what terms the pack itself stands.
        jurisdiction: where its rules hold, or "".
        date: when its content was put down, as YYYY-MM-DD, or "".
        notice: what it must not be taken for, or "".
        sources: where the rules come from.
        vocabulary: the variables its rules speak of.
        text: the rules, in the rule language.
        samples: judged records.
        written: the file it was read from, or "".
    """

    key: str
    title: str
    domain: str
    about: str
    licence: str
    jurisdiction: str
    date: str
    notice: str
    sources: tuple[Reference, ...]
    vocabulary: Vocabulary
    text: str
    samples: tuple[Sample, ...] = ()
    written: str = field(default="", repr=False, compare=False)

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """Return its rules as written."""
        return parse(self.text)

    def source_of(self, statement: Statement) -> Reference | None:
        """Return what the `source` of a rule names, None where it has none."""
        named = source_id(statement.source)
        return next((s for s in self.sources if s.id == named), None)

    def confirmed(self, statement: Statement) -> bool:
        """Whether a rule was compared with the text of its source, as the source states it."""
        source = self.source_of(statement)
        return source is not None and bool(source.checked) and statement.name not in source.unconfirmed

    @property
    def compared(self) -> int:
        """Return how many of its rules were compared with the text of their source."""
        return sum(map(self.confirmed, self.statements))


def source_id(source: str) -> str:
    """Return the id that the `source` of a rule begins with, or ""."""
    return source.split(maxsplit=1)[0].rstrip(":,") if source.strip() else ""
