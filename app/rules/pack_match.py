"""Which variables of a domain pack the wired columns and classes have, and which they lack."""

from __future__ import annotations

from dataclasses import dataclass

from engine.logic.pack import Pack
from engine.logic.vocabulary import Variable, Vocabulary


@dataclass(frozen=True)
class Match:
    """One variable of a pack beside the data.

    Attributes:
        variable: the variable.
        found: whether the data has it.
        words: what is so, in a few words.
    """

    variable: Variable
    found: bool
    words: str


def matches(pack: Pack, here: Vocabulary) -> tuple[Match, ...]:
    """Return every variable of `pack`, beside those there are `here`."""
    known = {variable.name: variable for variable in here.variables}
    answers = {value for variable in here.decided for value in variable.values}
    return tuple(_match(v, known.get(v.name), v.name in answers) for v in pack.vocabulary.variables)


def counted(found: tuple[Match, ...]) -> tuple[int, int]:
    """Return how many of the facts of a pack the data has, and how many there are."""
    facts = [m for m in found if m.variable.given]
    return sum(m.found for m in facts), len(facts)


def _match(wanted: Variable, there: Variable | None, answer: bool) -> Match:
    if there is None:
        if not wanted.given:
            return Match(wanted, answer, "a class of the data" if answer else "decided beside the class")
        return Match(wanted, False, "not in this data")
    if there.given != wanted.given:
        words = (
            "the pack decides it; here it is a fact" if there.given else "a fact of the pack; decided here"
        )
        return Match(wanted, False, words)
    lacking = [value for value in wanted.values if there.values and value not in there.values]
    if wanted.values and not there.values:
        return Match(wanted, False, "a column of numbers here; the pack wants categories")
    if lacking:
        some = ", ".join(lacking[:4]) + (" …" if len(lacking) > 4 else "")
        return Match(wanted, True, f"here, without the values {some}")
    return Match(wanted, True, "here")


def kind_words(variable: Variable) -> str:
    """Return what a variable holds, in a few words."""
    span = ""
    if variable.least is not None and variable.most is not None:
        span = f" {variable.least:g} to {variable.most:g}"
    if variable.kind == "flag":
        return "yes or no"
    if variable.kind in ("category", "events"):
        head = "events " if variable.kind == "events" else ""
        shown = ", ".join(variable.values[:5]) + (" …" if len(variable.values) > 5 else "")
        return f"{head}{shown}"
    return f"{'whole number' if variable.kind == 'integer' else 'number'}{span} {variable.unit}".strip()
