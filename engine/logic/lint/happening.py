"""Which events never happen, or always do, in sequences that keep all hard rules, whatever the facts are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import RuleError
from ..formula import Happens
from ..ruleset import RuleSet
from ..sequence_guard import atoms_of, body_of, call_of
from ..sequences.automaton import Automaton, alive
from ..sequences.examine import core_of
from ..sequences.product import Product, product_of
from ..sequences.rule import Body, Call, joined
from .ticks import ticked

_MOST_STATES = 4_000  # of all rules about a sequence together; of more nothing is said


@dataclass(frozen=True)
class Fate:
    """What the hard rules make of one event.

    Attributes:
        sequence: the name of the sequence.
        event: the event.
        happens: whether it happens in every sequence; else it does in none.
        reasons: the rules that make it so, by number, none of them to spare.
    """

    sequence: str
    event: str
    happens: bool
    reasons: tuple[int, ...]


def fates(rules: RuleSet) -> tuple[Fate, ...]:
    """Return the events that never or always happen, where the rules about a sequence are small together."""
    found: list[Fate] = []
    for sequence in range(len(rules.vocabulary.sequences)):
        hard = [
            i
            for i, rule in enumerate(rules.rules)
            if rule.weight is None and {atom.sequence for atom in atoms_of(rule.bound)} == {sequence}
        ]
        found += _fates(rules, sequence, hard) if hard else []
    return tuple(found)


def _fates(rules: RuleSet, sequence: int, hard: list[int]) -> list[Fate]:
    variable = rules.vocabulary.sequences[sequence]
    events = variable.values
    try:
        automata = _automata(rules, sequence, hard)
    except RuleError:  # it decides something beside, or has too many states
        return []
    whole = product_of(automata, [None] * len(automata), _MOST_STATES)
    if whole is None or whole.empty:
        return []
    found = []
    for event in range(len(events)):
        kept = _kept(whole, event)
        if all(kept):
            continue
        wish = _wish(event, whole.moves.shape[1], happens=not kept[0])
        core = core_of([*automata, wish], most=_MOST_STATES)
        reasons = tuple(hard[i] for i in core if i < len(hard))
        found.append(Fate(variable.name, events[event], not kept[1], reasons))
    return found


def _automata(rules: RuleSet, sequence: int, hard: list[int]) -> list[Automaton]:
    """Return the automata of rules over the events and, where one is in time, ticks; facts are open."""
    events = rules.vocabulary.sequences[sequence].values
    every: dict[Happens, None] = dict.fromkeys(atom for i in hard for atom in atoms_of(rules.rules[i].bound))
    made = ticked(tuple(every), len(events))
    calls = dict(zip((call_of(atom, events) for atom in every), made.kept, strict=True))
    letters = len(events) + bool(made.tick)
    open_ = np.full(len(rules.tests), -1, np.int8)

    def automaton(body: Body) -> Automaton:
        if not isinstance(body, Call):
            return joined(body, letters, automaton)
        found = calls[body]
        if found is None:
            raise RuleError("A rule in time has too many states.")
        return found

    return [automaton(body_of(rules.rules[i], open_, events)) for i in hard]


def _kept(whole: Product, event: int) -> tuple[bool, bool]:
    """Return whether an allowed sequence has an event, and whether one lacks it."""
    lives = whole.alive
    has = bool((lives & lives[whole.moves[:, event]]).any())
    without = np.delete(whole.moves, event, axis=1)
    ends = whole.penalties == 0
    return has, bool(alive(without, ends)[0] if without.shape[1] else ends[0])


def _wish(event: int, letters: int, *, happens: bool) -> Automaton:
    """Return the automaton of sequences that have an event, or that lack it."""
    moves = np.tile(np.array([[0], [1]], np.int32), (1, letters))
    moves[0, event] = 1
    return Automaton(moves, np.array([not happens, happens]))
