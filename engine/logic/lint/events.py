"""Rules over sequences of events under examination: automata say which calls can hold together.

Every template call in the rules becomes a flag. The solver chooses the flags; where no sequence follows
just the calls that it chose and not the others, a minimal part of the choice that already cannot be is told
back.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..formula import Formula, Happens, ValueIn, parts_of, with_parts
from ..ruleset import RuleSet
from ..sequences.automaton import Automaton, automaton_of
from ..sequences.examine import core_of, shortest
from ..sequences.product import Product, minimal, product_of, summed
from ..sequences.templates import find_template
from ..sequences.timed import Timed, unstamped
from ..vocabulary import Variable

_MOST_STATES = 4_000  # of a product; a choice whose product has more is taken to be possible

Choice = tuple[bool, ...]


@dataclass
class Calls:
    """The template calls of a rule set.

    Attributes:
        rules: the rules, each call a decided flag after all others that are decided.
        first: number of the first of these among what is decided.
        happens: the calls in the order of their flags.
    """

    rules: RuleSet
    first: int
    happens: list[Happens]
    _automata: list[Automaton] = field(default_factory=list)
    _found: dict[tuple[int, Choice], tuple[int, ...] | None] = field(default_factory=dict)
    _products: dict[tuple[tuple[int, ...], Choice], Product | None] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: RuleSet) -> Calls:
        """Return the calls in `rules`.

        Raises:
            RuleError: an automaton has too many states.
        """
        first = len(rules.vocabulary.decided)
        found: dict[Happens, int] = {}

        def freed(formula: Formula) -> Formula:
            if isinstance(formula, Happens):
                return ValueIn(first + found.setdefault(formula, len(found)), (1,))
            return with_parts(formula, tuple(freed(part) for part in parts_of(formula)))

        bound = tuple(replace(rule, bound=freed(rule.bound)) for rule in rules.rules)
        flags = tuple(Variable(f"\0call {i}") for i in range(len(found)))
        vocabulary = replace(rules.vocabulary, variables=(*rules.vocabulary.variables, *flags))
        calls = cls(replace(rules, vocabulary=vocabulary, rules=bound), first, list(found))
        events = [len(v.values) for v in rules.vocabulary.sequences]
        calls._automata = [_automaton(call, events[call.sequence]) for call in found]
        return calls

    def conflict(self, chosen: Choice) -> tuple[int, ...] | None:
        """Return calls whose choice cannot be, none of them to spare, or None where a sequence follows it."""
        for sequence in sorted({call.sequence for call in self.happens}):
            here = [i for i, call in enumerate(self.happens) if call.sequence == sequence]
            key = sequence, tuple(chosen[i] for i in here)
            if key not in self._found:
                part = self._empty(tuple(here), chosen)
                core = core_of([self._side(i, chosen) for i in part], most=_MOST_STATES)
                self._found[key] = tuple(part[i] for i in core) or None
            if self._found[key] is not None:
                return self._found[key]
        return None

    def example(self, chosen: Choice) -> dict[str, str]:
        """Return for each sequence a shortest one that follows a choice, as text, by its name."""
        told = {}
        for sequence, variable in enumerate(self.rules.vocabulary.sequences):
            here = [i for i, call in enumerate(self.happens) if call.sequence == sequence]
            if not here:
                continue
            product = self._product(tuple(here), chosen)
            events = shortest(product) if product else None
            if events is not None:
                told[variable.name] = ", ".join(variable.values[e] for e in events) or "nothing"
        return told

    def _empty(self, calls: tuple[int, ...], chosen: Choice) -> tuple[int, ...]:
        """Return the fewest neighbours whose choice no sequence follows, () where one follows them all."""
        whole = self._product(calls, chosen)
        if whole is None or not whole.empty:
            return ()
        middle = len(calls) // 2
        halves = (calls[:middle], calls[middle:]) if middle else ()
        return next((found for half in halves if (found := self._empty(half, chosen))), calls)

    def _product(self, calls: tuple[int, ...], chosen: Choice) -> Product | None:
        """Return the product of some calls as they are chosen, None where it is too large.

        It is made of those of its halves: another choice for one call needs few of them anew.
        """
        key = calls, tuple(chosen[i] for i in calls)
        if key not in self._products:
            if len(calls) == 1:
                self._products[key] = product_of([self._side(calls[0], chosen)], [None], _MOST_STATES)
            else:
                middle = len(calls) // 2
                halves = [self._product(half, chosen) for half in (calls[:middle], calls[middle:])]
                self._products[key] = _joined(*halves)
        return self._products[key]

    def _side(self, call: int, chosen: Choice) -> Automaton:
        automaton = self._automata[call]
        return automaton if chosen[call] else Automaton(automaton.moves, ~automaton.accepts)


def _joined(one: Product | None, other: Product | None) -> Product | None:
    for each in (one, other):
        if each is not None and each.empty:
            return each
    if one is None or other is None:
        return None
    made = summed(one, other, _MOST_STATES)
    return None if made is None else minimal(made)


def _automaton(call: Happens, events: int) -> Automaton:
    template = find_template(call.template)
    if template is None:
        raise ValueError(f"there is no template {call.template!r}")
    found = template.behaviour(call.places, **dict(call.numbers))
    return automaton_of(unstamped(found) if isinstance(found, Timed) else found, events)
