"""Rules of a graph and of domain packs over the columns and classes of a data set, matched by their names.

A variable of a pack that has the name of a column is that column; one that is decided and has the name of a
class, or whose values are the classes, is that class. A fact that the data does not have is a gap, which
breaks no rule, and what else is decided may be whatever suits the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from ..ports import Column
from .formula import Formula, Happens, Tested, ValueIn, parts_of, with_parts
from .measures import AnyTest
from .pack import Pack
from .packs import combined, pack_of
from .ruleset import RuleSet
from .vocabulary import CLASS, Variable, Vocabulary
from .wording import listed

_MOST_NAMED = 6
_NOTHING: Mapping[str, str] = MappingProxyType({})


def pack_keys(text: str) -> tuple[str, ...]:
    """Return the keys in a text that names packs, separated by commas."""
    return tuple(dict.fromkeys(key.strip() for key in text.split(",") if key.strip()))


def titles_of(rules: Sequence[str], keys: Sequence[str], carried: Mapping[str, str]) -> dict[str, str]:
    """Return the title of the pack that each of some rules comes from, by the rule's name.

    Args:
        rules: the names of rules of these packs, as `matched` gives them.
        keys: keys of packs.
        carried: files of packs by key, as a model holds them.
    """
    chosen = [pack_of(key, carried) for key in keys]
    titles = {s.name: pack.title for pack in chosen for s in pack.statements if s.name}
    return {name: titles[end] for name in rules if (end := name.split(": ")[-1]) in titles}


def matched(
    text: str,
    classes: tuple[str, ...],
    columns: tuple[Column, ...],
    packs: Sequence[str] = (),
    *,
    several: bool = False,
    carried: Mapping[str, str] = _NOTHING,
) -> RuleSet:
    """Return the rules of `text`, and after them those of packs, over classes and columns.

    Facts that only packs know stand after the columns.

    Args:
        text: rules of the graph.
        classes: class names in label order, or the names of labels.
        columns: the columns of facts.
        packs: keys of packs.
        several: whether each class is a label of its own, a flag; else one of them is the class.
        carried: files of packs by key, as a model holds them; a pack that is not there is the shipped one.

    Raises:
        RuleError: the text cannot be bound, there is no such pack, or packs contradict each other or the data
            in what a name means.
        SolverError: the parser is not installed.
    """
    own = _data(classes, columns, several=several)
    if not packs:
        return RuleSet.over(text, own)
    pack = combined([pack_of(key, carried) for key in packs])
    whole, notes = joined(own, pack)
    mine, theirs = RuleSet.over(text, whole), RuleSet.over(pack.text, whole)
    links = _links(pack, whole, () if several else classes)
    kept = [v for v in whole.variables if v.given or v.name not in links]
    made = Vocabulary(tuple(kept))
    tests: dict[AnyTest, int] = {test: i for i, test in enumerate(mine.tests)}
    move = _mover(theirs.tests, tests, whole, made, links)
    same = _mover(mine.tests, tests, whole, made, links)
    names = set(mine.names)
    rules = [replace(r, bound=moved(r.bound, same)) for r in mine.rules]
    ordered = [rule.name for rule in theirs.rules if speaks_of_events(rule.bound)]
    if ordered:
        what = "a rule over events, is" if len(ordered) == 1 else "rules over events, are"
        notes.append(
            f"{pack.title}: {some(ordered)}, {what} left out here: a Sequence guard takes packs too."
        )
    for rule in theirs.rules:
        if rule.name in ordered:
            continue
        name = rule.name if rule.name not in names else f"{pack.key}: {rule.name}"
        rules.append(replace(rule, name=name, bound=moved(rule.bound, move)))
    notes += _unmatched(pack, own, made)
    return RuleSet(made, tuple(rules), tuple(tests), (*mine.notes, *notes))


def speaks_of_events(formula: Formula) -> bool:
    """Whether a bound formula says anything of a sequence of events."""
    return isinstance(formula, Happens) or any(map(speaks_of_events, parts_of(formula)))


def _data(classes: tuple[str, ...], columns: tuple[Column, ...], *, several: bool) -> Vocabulary:
    if not several:
        return Vocabulary.of(classes, columns)
    facts = Vocabulary.of((), columns).variables
    return Vocabulary((*facts, *(Variable(name, "flag") for name in classes)))


def joined(own: Vocabulary, pack: Pack) -> tuple[Vocabulary, list[str]]:
    """Return the variables of the data, with what the pack names beside, and notes on values it lacks."""
    theirs = {v.name: v for v in pack.vocabulary.variables}
    found, notes = [], []
    for variable in own.variables:
        other = theirs.pop(variable.name, None)
        if other is None or not variable.given or variable.kind != "category":
            found.append(_read_as(variable, other))
            continue
        more = tuple(value for value in other.values if value not in variable.values)
        found.append(replace(variable, values=(*variable.values, *more)))
        if more and other.kind == "category":
            some = listed(more[:_MOST_NAMED])
            notes.append(f"No record of the data has {variable.name} = {some}, which {pack.title} names.")
    return Vocabulary((*found, *theirs.values())), notes


def _read_as(variable: Variable, other: Variable | None) -> Variable:
    """Return a column of numbers as the flag that a pack takes it for: 0 is no, 1 is yes."""
    if other and variable.given and variable.kind == "number" and other.kind == "flag":
        return replace(other, given=True)
    return variable


def _links(pack: Pack, whole: Vocabulary, classes: tuple[str, ...]) -> dict[str, dict[int, int]]:
    """Return which decided variables of a pack are the class: value number -> class number, by name.

    For a flag only its `yes` is in there.
    """
    found: dict[str, dict[int, int]] = {}
    for variable in pack.vocabulary.decided if classes else ():
        if variable.name == CLASS or variable.name in whole.fact_numbers:
            continue
        if variable.kind == "flag" and variable.name in classes:
            found[variable.name] = {1: classes.index(variable.name)}
        elif variable.kind == "category" and set(classes) <= set(variable.values):
            found[variable.name] = {
                i: classes.index(value) for i, value in enumerate(variable.values) if value in classes
            }
    return found


def _mover(
    tests: tuple[AnyTest, ...],
    places: dict[AnyTest, int],
    before: Vocabulary,
    after: Vocabulary,
    links: dict[str, dict[int, int]],
) -> Callable[[Formula], Formula]:
    """Return what makes an atom bound to `before` one bound to `after`, adding its test to `places`."""

    def move(atom: Formula) -> Formula:
        if isinstance(atom, Tested):
            return Tested(places.setdefault(tests[atom.index], len(places)))
        if not isinstance(atom, ValueIn):
            return atom
        variable = before.decided[atom.variable]
        if variable.name not in links:
            return ValueIn(after.decided_numbers[variable.name], atom.indices)
        link, number = links[variable.name], after.decided_numbers[CLASS]
        if variable.kind == "flag":
            yes = link[1]
            rest = tuple(i for i in range(len(after.decided[number].values)) if i != yes)
            chosen = (*((yes,) if 1 in atom.indices else ()), *(rest if 0 in atom.indices else ()))
            return ValueIn(number, tuple(sorted(chosen)))
        return ValueIn(number, tuple(sorted(link[i] for i in atom.indices if i in link)))

    return move


def moved(formula: Formula, move: Callable[[Formula], Formula]) -> Formula:
    """Return a bound formula whose atoms are what `move` makes of them."""
    parts = parts_of(formula)
    return with_parts(formula, tuple(moved(part, move) for part in parts)) if parts else move(formula)


def _unmatched(pack: Pack, own: Vocabulary, made: Vocabulary) -> list[str]:
    there = {v.name for v in own.variables}
    facts = [v.name for v in pack.vocabulary.given if v.name not in there]
    free = [v.name for v in made.decided if v.name not in there]
    notes = []
    if facts:
        notes.append(unmatched_facts(pack, facts))
    if free:
        notes.append(f"{pack.title}: {some(free)} {_no(free, 'class')}: whatever suits the rules.")
    return notes


def unmatched_facts(pack: Pack, facts: list[str]) -> str:
    """Return the note that facts of a pack are no columns."""
    return f"{pack.title}: {some(facts)} {_no(facts, 'column')}: a gap, which breaks no rule."


def _no(names: list[str], what: str) -> str:
    return f"is no {what} here" if len(names) == 1 else f"are no {what}{'e' * (what == 'class')}s here"


def some(names: Sequence[str]) -> str:
    """Return names in a row, the first of them where there are many."""
    rest = len(names) - _MOST_NAMED
    return listed((*names[:_MOST_NAMED], *((f"{rest} more",) if rest > 0 else ())))
