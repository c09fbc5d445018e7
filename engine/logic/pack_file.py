"""From the text of a pack file to a pack; whatever is wrong is said with line and key."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from typing import Any, cast

from ..errors import RuleError
from .language import MOST_BYTES
from .pack import Pack, Reference, Sample, Value, source_id
from .pack_fields import (
    WrongError,
    check_date,
    check_url,
    is_number,
    number_at,
    only,
    shown,
    table_at,
    tables_at,
    text_at,
    texts_at,
    typed,
)
from .pack_lines import Key, lines_of, words_of
from .pack_times import read_places, read_stamps
from .ruleset import RuleSet
from .vocabulary import KINDS, Variable, Vocabulary, nearest, some

MOST_LINE = 4_000  # characters
MOST_DOTS = 100  # of one line: tomllib takes quadratic time over the parts of a dotted key
MOST_VARIABLES = 500
MOST_VALUES = 500
MOST_SAMPLES = 500
MOST_SOURCES = 100
MOST_NAME = 200
MOST_ADDRESSES = 50  # of one source
MOST_EVENTS = 1_000  # of one sample
_HEAD = ("title", "domain", "text", "licence", "jurisdiction", "date", "notice")
_SOURCE = ("id", "title", "url", "licence", "checked", "compared", "read", "unconfirmed")
_VARIABLE = ("kind", "given", "values", "least", "most", "step", "unit", "text")
_SAMPLE = ("name", "facts", "answer", "stamps", "places", "keeps", "breaks")
_TOP = ("pack", "sources", "variables", "rules", "samples")
_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def read_pack(text: str, key: str, *, trusted: bool = False) -> Pack:
    """Return the pack that `text` holds; `key` names it.

    Args:
        text: the file.
        key: names the pack.
        trusted: leave out what takes time: reading the rules and looking up what they name.

    Raises:
        RuleError: it is no TOML, or not a pack; `where` is line and key.
        SolverError: lark, the parser of rules, is not installed.
    """
    document = _document(text)
    lines = lines_of(text)
    try:
        return replace(_Reader(document, key, trusted=trusted).pack(), written=text)
    except WrongError as error:
        line = lines.near(error.key)
        where = f"line {line}, {words_of(error.key)}" if error.key else f"line {line}"
        raise RuleError(error.what, where=where, do=error.do) from None
    except _WrongRuleError as error:
        raise lines.in_rules(error.error) from None


def _document(text: str) -> dict[str, Any]:
    text = text.removeprefix("\ufeff")
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MOST_LINE:
            words = f"The line has {len(line):,} characters; {MOST_LINE:,} is the most."
            raise RuleError(words, where=f"line {number}", do="Break it.")
        if line.count(".") > MOST_DOTS:
            raise RuleError(
                f"The line has more than {MOST_DOTS} dots.", where=f"line {number}", do="Break it."
            )
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _AT.search(str(error))
        words = _AT.sub("", str(error)) + "."
        where = f"line {found[1]}, column {found[2]}" if found and found[1] else "the end"
        raise RuleError(words, where=where, do="A pack is a TOML file.") from None
    except (RecursionError, ValueError) as error:
        words = "It is nested too deep." if isinstance(error, RecursionError) else "A number is too long."
        where = f"line {_deepest(text)}"
        raise RuleError(words, where=where, do="A pack is a TOML file.") from None


def _deepest(text: str) -> int:
    """Return the line at whose end most brackets are open."""
    opened, most, line = 0, 0, 1
    for number, row in enumerate(text.split("\n"), 1):
        opened += row.count("[") + row.count("{")
        if opened > most:
            most, line = opened, number
        opened -= row.count("]") + row.count("}")
    return line


class _WrongRuleError(Exception):
    """The rules cannot be read; their error counts lines from their own beginning."""

    def __init__(self, error: RuleError) -> None:
        super().__init__(error)
        self.error = error


class _Reader:
    """Reads one document, checking everything before anything is made."""

    def __init__(self, document: dict[str, Any], key: str, *, trusted: bool) -> None:
        self._document, self._key, self._trusted = document, key, trusted

    def pack(self) -> Pack:
        only(self._document, _TOP, ())
        head = table_at(self._document, "pack", ())
        only(head, _HEAD, ("pack",))
        words = {name: text_at(head, name, ("pack",), needed=name in _HEAD[:4]) for name in _HEAD}
        check_date(words["date"], ("pack", "date"))
        sources = self._sources()
        vocabulary = self._vocabulary()
        rules = table_at(self._document, "rules", ())
        only(rules, ("text",), ("rules",))
        text = text_at(rules, "text", ("rules",), needed=True, most=MOST_BYTES)
        soft = None if self._trusted else self._soft(text, vocabulary, sources)
        return Pack(
            key=self._key,
            title=words["title"],
            domain=words["domain"],
            about=words["text"],
            licence=words["licence"],
            jurisdiction=words["jurisdiction"],
            date=words["date"],
            notice=words["notice"],
            sources=sources,
            vocabulary=vocabulary,
            text=text,
            samples=self._samples(vocabulary, soft),
        )

    def _sources(self) -> tuple[Reference, ...]:
        found: dict[str, Reference] = {}
        for i, entry in enumerate(tables_at(self._document, "sources", MOST_SOURCES)):
            source = _source(entry, ("sources", i))
            if source.id in found:
                raise WrongError(("sources", i, "id"), f"Two sources have the id {source.id!r}.")
            found[source.id] = source
        return tuple(found.values())

    def _vocabulary(self) -> Vocabulary:
        entries = table_at(self._document, "variables", ())
        if not 1 <= len(entries) <= MOST_VARIABLES:
            words = f"A pack has 1 to {MOST_VARIABLES} variables; this has {len(entries)}."
            raise WrongError(("variables",), words)
        return Vocabulary(tuple(_variable(entries, name) for name in entries))

    def _soft(self, text: str, vocabulary: Vocabulary, sources: tuple[Reference, ...]) -> dict[str, bool]:
        """Return whether each rule is soft, once all that they name was looked up."""
        try:
            rules = RuleSet.over(text, vocabulary).rules
        except RuleError as error:
            raise _WrongRuleError(error) from None
        ids = tuple(sorted(source.id for source in sources))
        for rule in rules:
            named = source_id(rule.source)
            if named and named not in ids:
                words = f"There is no source {named!r}."
                do = f"A rule's source begins with the id of one: {some(ids) or 'none yet'}."
                where = f"line {rule.line}, column {rule.column}"
                raise _WrongRuleError(RuleError(words, where=where, do=do))
        for i, source in enumerate(sources):
            there = tuple(sorted(rule.name for rule in rules if source_id(rule.source) == source.id))
            for name in source.unconfirmed:
                if name not in there:
                    words = f"No rule {name!r} names this source."
                    raise WrongError(("sources", i, "unconfirmed"), words, nearest(name, there))
        return {rule.name: rule.weight is not None for rule in rules}

    def _samples(self, vocabulary: Vocabulary, soft: dict[str, bool] | None) -> tuple[Sample, ...]:
        entries = tables_at(self._document, "samples", MOST_SAMPLES)
        given = {v.name: v for v in vocabulary.variables if v.given}
        decided = {v.name: v for v in vocabulary.variables if not v.given}
        found = []
        for i, entry in enumerate(entries):
            place: Key = ("samples", i)
            only(entry, _SAMPLE, place)
            name = text_at(entry, "name", place, needed=True)
            facts = _values(entry, "facts", place, given)
            answer = _values(entry, "answer", place, decided)
            events = {key: len(value) for key, value in (facts | answer).items() if isinstance(value, tuple)}
            stamps = read_stamps(entry, place, events)
            places = read_places(entry, place, {key: events[key] for key in stamps})
            found.append(Sample(name, facts, answer, *_breaks(entry, place, soft), stamps, places))
        return tuple(found)


# Parts of a pack


def _source(entry: dict[str, Any], place: Key) -> Reference:
    only(entry, _SOURCE, place)
    words = {name: text_at(entry, name, place, needed=name in _SOURCE[:3]) for name in _SOURCE[:6]}
    if not re.fullmatch(r"[\w./+-]{1,60}", words["id"]):
        raise WrongError((*place, "id"), f"An id is one word; got {words['id'][:40]!r}.")
    check_url(words["url"], (*place, "url"))
    check_date(words["checked"], (*place, "checked"))
    read = texts_at(entry, "read", place, MOST_ADDRESSES)
    for address in read:
        check_url(address, (*place, "read"))
    unconfirmed = texts_at(entry, "unconfirmed", place, MOST_VALUES)
    if not words["checked"] and (words["compared"] or read or unconfirmed):
        raise WrongError(place, "What was compared has no date.", 'Add checked = "YYYY-MM-DD".')
    return Reference(**words, read=read, unconfirmed=unconfirmed)


def _variable(entries: dict[str, Any], name: str) -> Variable:
    place: Key = ("variables", name)
    entry = table_at(entries, name, ("variables",))
    only(entry, _VARIABLE, place)
    if not name.strip() or len(name) > MOST_NAME:
        raise WrongError(place, f"The name of a variable has 1 to {MOST_NAME} characters.")
    kind = text_at(entry, "kind", place, needed=True)
    if kind not in KINDS:
        raise WrongError(
            (*place, "kind"), f"There is no kind {kind[:40]!r}.", f"Kinds are {', '.join(KINDS)}."
        )
    numbers = {key: number_at(entry, key, place) for key in ("least", "most", "step")}
    if kind in ("integer", "number") and None in (numbers["least"], numbers["most"]):
        raise WrongError(place, f"A variable of kind {kind} needs its least and its most.")
    try:
        return Variable(
            name=name,
            kind=kind,
            given=typed(entry, "given", place, bool, "true or false", default=False),
            values=_names(entry, place),
            **numbers,
            unit=text_at(entry, "unit", place),
            text=text_at(entry, "text", place),
        )
    except RuleError as error:
        raise WrongError(place, error.what, error.do) from None


def _names(entry: dict[str, Any], place: Key) -> tuple[str, ...]:
    values = texts_at(entry, "values", place, MOST_VALUES)
    if not all(0 < len(v) <= MOST_NAME for v in values):
        raise WrongError((*place, "values"), f"Values are texts of 1 to {MOST_NAME} characters.")
    return values


def _values(entry: dict[str, Any], key: str, place: Key, there: dict[str, Variable]) -> dict[str, Value]:
    table = table_at(entry, key, place, default={})
    found: dict[str, Value] = {}
    for name, value in table.items():
        here = (*place, key, name)
        if name not in there:
            what = "given" if key == "facts" else "decided"
            raise WrongError(here, f"There is no {what} variable {name[:60]!r}.", nearest(name, tuple(there)))
        found[name] = _value(value, there[name], here)
    return found


def _value(value: Any, variable: Variable, place: Key) -> Value:
    if isinstance(value, list) and variable.kind == "events":
        if len(value) > MOST_EVENTS:
            raise WrongError(place, f"A sample has at most {MOST_EVENTS:,} events; this has {len(value)}.")
        wrong = next((v for v in value if v not in variable.values), None)
        if wrong is not None:
            words = f"There is no event {shown(wrong)}."
            raise WrongError(place, words, f"There are {some(variable.values)}.")
        return tuple(value)
    if not _fits(value, variable):
        raise WrongError(place, f"It takes {_wanted(variable)}; got {shown(value)}.")
    return cast("Value", value)


def _fits(value: Any, variable: Variable) -> bool:
    if variable.kind == "flag":
        return isinstance(value, bool)
    if variable.kind == "category":
        return value in variable.values
    if not is_number(value):
        return False
    if variable.given:
        return variable.kind == "number" or float(value).is_integer()
    return variable.index_of(repr(value)) is not None


def _wanted(variable: Variable) -> str:
    if variable.kind == "flag":
        return "true or false"
    if variable.kind in ("category", "events"):
        return f"{'one' if variable.kind == 'category' else 'a list'} of {some(variable.values)}"
    what = "a whole number" if variable.kind == "integer" else "a number"
    return what if variable.given else f"{what} from {variable.least:g} to {variable.most:g}"


def _breaks(entry: dict[str, Any], place: Key, soft: dict[str, bool] | None) -> tuple[bool, tuple[str, ...]]:
    keeps = typed(entry, "keeps", place, bool, "true or false")
    breaks = typed(entry, "breaks", place, list, "a list of rule names", default=[])
    if soft is None:
        return keeps, tuple(map(str, breaks))
    for name in breaks:
        if not isinstance(name, str) or name not in soft:
            here, names = (*place, "breaks"), tuple(sorted(soft))
            raise WrongError(here, f"There is no rule {shown(name)}.", nearest(shown(name), names))
    if keeps != all(soft[name] for name in breaks):
        words = "A sample keeps all rules that must hold, or names those it breaks."
        do = 'Write keeps = true, or keeps = false and breaks = ["..."].'
        raise WrongError((*place, "keeps"), words, do)
    return keeps, tuple(breaks)
