"""Rules over sequences of events under examination: automata say which calls can hold together.

Every template call in the rules becomes a flag. The solver chooses the flags; where no sequence follows
just the calls that it chose and not the others, a minimal part of the choice that already cannot be is told
back.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from ..formula import Formula, Happens, ValueIn, parts_of, with_parts
from ..ruleset import RuleSet
from ..sequence_guard import atoms_of
from ..sequences.automaton import Automaton
from ..sequences.examine import core_of, shortest
from ..sequences.product import Product, minimal, product_of, summed
from ..sequences.templates import SPEED
from ..vocabulary import Variable
from .ticks import Ticked, ticked
from .tuples import shortest_together

_MOST_STATES = 4_000  # of a product; a choice whose product has more is taken to be possible

Choice = tuple[bool, ...]

_UNHELD = "Not checked: {rules}. Lengths of time of such different sizes make too many situations."
_PLACES = "Not checked: places in {rules}. How often its events happen is."
_LARGE = "Not checked as a whole: {rules}. Together they make too many situations."


@dataclass
class Calls:
    """The template calls of a rule set.

    Attributes:
        rules: the rules, each call a decided flag after all others that are decided.
        first: number of the first of these among what is decided.
        happens: the calls in the order of their flags.
        large: the sequences, by number, of which a choice was taken to be possible because of its size.
    """

    rules: RuleSet
    first: int
    happens: list[Happens]
    large: set[int] = field(default_factory=set)
    _ticked: dict[int, Ticked] = field(default_factory=dict)
    _sides: dict[int, tuple[Automaton | None, Automaton | None]] = field(default_factory=dict)
    _found: dict[tuple[int, Choice], tuple[int, ...] | None] = field(default_factory=dict)
    _shortest: dict[tuple[int, Choice], tuple[int, ...] | None] = field(default_factory=dict)
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
        for sequence, variable in enumerate(rules.vocabulary.sequences):
            here = [i for i, call in enumerate(calls.happens) if call.sequence == sequence]
            made = ticked([calls.happens[i] for i in here], len(variable.values))
            calls._ticked[sequence] = made
            calls._sides.update(zip(here, zip(made.denied, made.kept, strict=True), strict=True))
        return calls

    def unchecked(self, written: RuleSet, known: Collection[int]) -> tuple[tuple[tuple[int, ...], str], ...]:
        """Return rules that were not looked into whole, by number, and a sentence that says of what.

        Args:
            written: the rules as they were given.
            known: the rules that follow from others, or that some record breaks alone.
        """
        atoms = [set(atoms_of(rule.bound)) for rule in written.rules]
        speeds = {call for call in self.happens if call.template == SPEED}
        unheld = {call for i, call in enumerate(self.happens) if self._sides[i][1] is None}
        found = []
        for calls, words in ((unheld, _UNHELD), (speeds, _PLACES)):
            rules = tuple(i for i, those in enumerate(atoms) if those & calls)
            found += [(rules, words)] if rules else []
        for sequence in sorted(self.large):
            about = [i for i, those in enumerate(atoms) if sequence in {call.sequence for call in those}]
            rules = tuple(i for i in about if i not in known)
            found += [(rules, _LARGE)] if rules else []
        return tuple(found)

    def conflict(self, chosen: Choice) -> tuple[int, ...] | None:
        """Return calls whose choice cannot be, none of them to spare, or None where a sequence follows it."""
        for sequence in sorted({call.sequence for call in self.happens}):
            here = self._held(sequence)
            key = sequence, tuple(chosen[i] for i in here)
            if key not in self._found:
                part = self._empty(tuple(here), chosen)
                core = core_of([self._side(i, chosen) for i in part], most=_MOST_STATES)
                self._found[key] = tuple(part[i] for i in core) or None
            if self._found[key] is not None:
                return self._found[key]
        return None

    def seen(self, chosen: Choice) -> bool:
        """Return whether it is known of every sequence that one follows a choice."""
        unheld = any(sides[1] is None for sides in self._sides.values())
        sequences = sorted({call.sequence for call in self.happens})
        return not unheld and all(self._shown(s, chosen) is not None for s in sequences)

    def example(self, chosen: Choice) -> dict[str, str]:
        """Return for each sequence a shortest one that follows a choice, as text, by its name."""
        told = {}
        for sequence, variable in enumerate(self.rules.vocabulary.sequences):
            letters = self._shown(sequence, chosen)
            if letters is not None:
                told[variable.name] = self._ticked[sequence].words(letters, variable.values)
        return told

    def _shown(self, sequence: int, chosen: Choice) -> tuple[int, ...] | None:
        """Return a shortest sequence that follows a choice, None where there is none or none was reached."""
        here = self._held(sequence)
        if not here:
            return None
        key = sequence, tuple(chosen[i] for i in here)
        if key not in self._shortest:
            product = self._product(tuple(here), chosen)
            sides = [self._side(i, chosen) for i in here] if product is None else []
            self._shortest[key] = shortest_together(sides) if product is None else shortest(product)
        return self._shortest[key]

    def _held(self, sequence: int) -> list[int]:
        """Return the calls about a sequence that have automata."""
        return [i for i, call in enumerate(self.happens) if call.sequence == sequence and self._sides[i][1]]

    def _empty(self, calls: tuple[int, ...], chosen: Choice) -> tuple[int, ...]:
        """Return the fewest neighbours whose choice no sequence follows, () where one follows them all."""
        whole = self._product(calls, chosen)
        if whole is None and len(calls) > 1:
            self.large.add(self.happens[calls[0]].sequence)
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
        side = self._sides[call][chosen[call]]
        if side is None:
            raise ValueError("the call has no automaton")
        return side


def _joined(one: Product | None, other: Product | None) -> Product | None:
    for each in (one, other):
        if each is not None and each.empty:
            return each
    if one is None or other is None:
        return None
    made = summed(one, other, _MOST_STATES)
    return None if made is None else minimal(made)
