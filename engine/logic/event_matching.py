"""Rules of a graph and of domain packs over a sequence of events, matched by the names of events and facts.

Of a pack that sequence is meant which shares the most events with the data. An event that only the pack knows
never happens, a fact that the data does not have is a gap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from ..ports import Column
from .formula import Formula, Happens, Tested, ValueIn, parts_of
from .matching import joined, moved, some, unmatched_facts
from .measures import AnyTest
from .pack import Pack
from .packs import combined, pack_of
from .ruleset import Rule, RuleSet
from .vocabulary import Variable, Vocabulary

SEQUENCE = "sequence"  # the name of the variable that a guard of events decides
_NOTHING: Mapping[str, str] = MappingProxyType({})


def vocabulary_of(events: tuple[str, ...], columns: tuple[Column, ...]) -> Vocabulary:
    """Return the vocabulary of a sequence over event types and of facts in columns.

    Raises:
        RuleError: a name stands twice.
    """
    facts = Vocabulary.of((), columns).variables
    return Vocabulary((*facts, Variable(SEQUENCE, "events", values=events)))


def matched_events(
    text: str,
    events: tuple[str, ...],
    columns: tuple[Column, ...],
    packs: Sequence[str] = (),
    *,
    carried: Mapping[str, str] = _NOTHING,
) -> RuleSet:
    """Return the rules of `text`, and after them those of packs, over one sequence and facts.

    Events and facts that only packs know stand after those of the data.

    Args:
        text: rules of the graph.
        events: the event types of the data.
        columns: the columns of facts.
        packs: keys of packs.
        carried: files of packs by key, as a model holds them; a pack that is not there is the shipped one.

    Raises:
        RuleError: the text cannot be bound, there is no such pack, or packs contradict each other or the data
            in what a name means.
        SolverError: the parser is not installed.
    """
    if not packs:
        return RuleSet.over(text, vocabulary_of(events, columns))
    pack = combined([pack_of(key, carried) for key in packs])
    whole, notes = joined(Vocabulary.of((), columns), pack)
    facts = whole.given
    chosen = _shared(pack, events)
    if chosen is None:
        notes.append(f"{pack.title}: none of its events is an event here, so its rules are left out.")
        return _with_notes(RuleSet.over(text, vocabulary_of(events, columns)), notes)
    more = tuple(value for value in chosen.values if value not in events)
    every = (*events, *more)
    own = Vocabulary((*facts, Variable(SEQUENCE, "events", values=every)))
    mine = RuleSet.over(text, own)
    theirs = RuleSet.over(pack.text, _over(pack, facts, replace(chosen, values=every)))
    number = [v.name for v in theirs.vocabulary.sequences].index(chosen.name)
    taken, left = parted_by(theirs, number)
    tests: dict[AnyTest, int] = {test: i for i, test in enumerate(mine.tests)}
    rules = list(mine.rules)
    for rule in taken:
        name = rule.name if rule.name not in mine.names else f"{pack.key}: {rule.name}"
        rules.append(replace(rule, name=name, bound=_bound(rule.bound, theirs.tests, tests)))
    notes += _told(pack, columns, own, more, left)
    return _with_notes(RuleSet(own, tuple(rules), tuple(tests), mine.notes), notes)


def parted_by(rules: RuleSet, sequence: int = 0) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """Return the rules that speak of one sequence and of facts alone, and the others."""
    taken = tuple(rule for rule in rules.rules if _sequences(rule.bound) == {sequence})
    return taken, tuple(rule for rule in rules.rules if rule not in taken)


def _sequences(formula: Formula) -> set[int | None]:
    """Return which sequences a bound formula speaks of; None stands for anything else that is decided."""
    if isinstance(formula, Happens):
        return {formula.sequence}
    if isinstance(formula, ValueIn):
        return {None}
    return set[int | None]().union(*map(_sequences, parts_of(formula)))


def _shared(pack: Pack, events: tuple[str, ...]) -> Variable | None:
    """Return the sequence of a pack that shares most events, None where none shares any."""
    found = [(len(set(v.values) & set(events)), v) for v in pack.vocabulary.sequences]
    most = max((count for count, _ in found), default=0)
    return next((v for count, v in found if count == most), None) if most else None


def _over(pack: Pack, facts: tuple[Variable, ...], chosen: Variable) -> Vocabulary:
    """Return the variables of a pack, its facts as the data has them, and its own sequence as `chosen`."""
    decided = [v for v in pack.vocabulary.variables if not v.given]
    return Vocabulary((*facts, *(chosen if v.name == chosen.name else v for v in decided)))


def _bound(formula: Formula, before: tuple[AnyTest, ...], tests: dict[AnyTest, int]) -> Formula:
    def move(atom: Formula) -> Formula:
        if isinstance(atom, Tested):
            return Tested(tests.setdefault(before[atom.index], len(tests)))
        return replace(atom, sequence=0) if isinstance(atom, Happens) else atom

    return moved(formula, move)


def _told(
    pack: Pack, columns: tuple[Column, ...], own: Vocabulary, more: tuple[str, ...], left: tuple[Rule, ...]
) -> list[str]:
    there = {column.name for column in columns}
    facts = [v.name for v in own.given if v.name not in there]
    notes = []
    if more:
        never = "is no event here: it never happens" if len(more) == 1 else "are no events here: none happens"
        notes.append(f"{pack.title}: {some(more)} {never}.")
    if facts:
        notes.append(unmatched_facts(pack, facts))
    if left:
        notes.append(left_out(pack.title, left))
    return notes


def left_out(title: str, left: Sequence[Rule]) -> str:
    """Return the note that rules are not about the sequence alone."""
    names = some([rule.name for rule in left])
    what = "is not about these events alone" if len(left) == 1 else "are not about these events alone"
    return f"{title}: {names} {what} and left out here: a Constraint guard takes packs too."


def _with_notes(rules: RuleSet, notes: list[str]) -> RuleSet:
    return replace(rules, notes=(*rules.notes, *notes))
