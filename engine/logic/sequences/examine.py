"""What a set of rules over sequences comes to: whether it can be kept, what it has to spare, examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...ports import I64
from .automaton import Automaton, Bools
from .product import MOST_STATES, Product, minimal, product_of, summed

Example = tuple[int, ...]  # event types in order


@dataclass(frozen=True)
class Examined:
    """What is found of a rule set; rules are numbers.

    Attributes:
        satisfiable: whether one sequence keeps all hard rules; None where their product is too large.
        core: where none does, hard rules that already conflict, none of them to spare.
        shortest: a shortest sequence that keeps all hard rules.
        redundant: rules that every sequence keeps that keeps the other hard rules.
        impossible: soft rules that no sequence keeps that keeps the hard ones.
        witnesses: of each other rule a shortest sequence that breaks it and no hard rule beside it.
        open: rules of which it is not known: the product of the others is too large.
    """

    satisfiable: bool | None
    core: tuple[int, ...]
    shortest: Example | None
    redundant: tuple[int, ...]
    impossible: tuple[int, ...]
    witnesses: tuple[tuple[int, Example], ...]
    open: tuple[int, ...]


def examined(
    automata: Sequence[Automaton], weights: Sequence[int | None], most: int = MOST_STATES
) -> Examined:
    """Examine rules.

    Args:
        automata: one a rule, over the same events.
        weights: of each rule, None for a hard one.
        most: states of a product.
    """
    every = range(len(automata))
    hard = [i for i in every if weights[i] is None]
    whole = product_of([automata[i] for i in hard], [None] * len(hard), most) if hard else None
    if hard and (whole is None or whole.empty):
        core = core_of([automata[i] for i in hard], most=most) if whole else ()
        kept = None if whole is None else False
        return Examined(kept, tuple(hard[i] for i in core), None, (), (), (), () if whole else tuple(every))
    redundant, impossible, left, witnesses = [], [], [], []
    for i in every:
        others = [automata[j] for j in hard if j != i]
        broken = _with(others, _opposite(automata[i]), most)
        kept_too = whole if weights[i] is None else _with(others, automata[i], most)
        if broken is None or kept_too is None:
            left.append(i)
        elif broken.empty:
            redundant.append(i)
        else:
            witnesses.append((i, shortest(broken) or ()))
            if kept_too.empty:
                impossible.append(i)
    first = shortest(whole) if whole else ()
    return Examined(True, (), first, tuple(redundant), tuple(impossible), tuple(witnesses), tuple(left))


def core_of(
    automata: Sequence[Automaton], possible: Bools | None = None, most: int = MOST_STATES
) -> tuple[int, ...]:
    """Return rules that no sequence keeps together, none of them to spare; () where all can be kept.

    Deletion: rules are dropped one by one for as long as the rest still conflicts.

    Args:
        automata: one a rule, all hard.
        possible: bool (steps, events), which events each step of the sequence may have; any sequence of any
            length where it is left out.
        most: states of a product; one that has more counts as kept.
    """
    core = list(range(len(automata)))
    if not _conflict([automata[i] for i in core], possible, most):
        return ()
    for rule in list(core):
        rest = [i for i in core if i != rule]
        if _conflict([automata[i] for i in rest], possible, most):
            core = rest
    return tuple(core)


def shortest(product: Product) -> Example | None:
    """Return a shortest sequence that keeps the hard rules, the first by event numbers; None if none does."""
    came: dict[int, tuple[int, int]] = {0: (-1, -1)}
    layer = [0]
    while layer:
        ends = [s for s in layer if product.penalties[s] == 0]
        if ends:
            return _traced(came, ends[0])
        after: list[int] = []
        for s in layer:
            for e, q in enumerate(product.moves[s].tolist()):
                if q not in came and product.alive[q]:
                    came[q] = (s, e)
                    after.append(q)
        layer = after
    return None


def _traced(came: dict[int, tuple[int, int]], state: int) -> Example:
    events: list[int] = []
    while came[state][0] >= 0:
        state, event = came[state]
        events.append(event)
    return tuple(reversed(events))


def _with(others: list[Automaton], one: Automaton, most: int) -> Product | None:
    return product_of([*others, one], [None] * (len(others) + 1), most)


def _opposite(automaton: Automaton) -> Automaton:
    return Automaton(automaton.moves, ~automaton.accepts)


def _conflict(automata: list[Automaton], possible: Bools | None, most: int) -> bool:
    """Return whether no sequence keeps all; one rule after the other, so that a conflict is found early."""
    found: Product | None = None
    for automaton in automata:
        part = product_of([automaton], [None], most)
        found = part if found is None or part is None else summed(found, part, most)
        if found is None:
            return False
        found = minimal(found)
        if found.empty:
            return True
    if possible is None:
        return False
    if found is None:
        return bool((~possible.any(1)).any())
    here = np.zeros(len(found.moves), np.bool_)
    here[0] = True
    for step in possible:
        after = np.zeros_like(here)
        states: I64 = np.flatnonzero(here)
        after[found.moves[states][:, step].ravel()] = True
        here = after
    return not (here & (found.penalties == 0)).any()
