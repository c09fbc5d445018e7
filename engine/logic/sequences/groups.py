"""The rules in groups small enough for a product each, and the products of groups, made when first needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...kernels.viterbi import Chart
from .automaton import Automaton, Bools
from .product import Product, chart_of, minimal, priced, product_of, summed, told_apart
from .search import Searcher

_GROUP = 256  # states of one group's product where all rules together have too many
_KEPT = 512  # products of groups that are kept


@dataclass(frozen=True, eq=False)
class Joint:
    """The product of some groups, ready for the kernels.

    Attributes:
        product: the automaton.
        states: how many it has.
    """

    product: Product

    @cached_property
    def chart(self) -> Chart | None:
        """Return the automaton as the kernels take it, None where it accepts nothing."""
        return None if self.product.empty else chart_of(self.product)


class Groups:
    """The rules in groups.

    Args:
        automata: one a rule, one at least.
        weights: of each rule, None for a hard one.
        whole: states up to which the product of all rules is taken.
        most: states of any other product.

    Attributes:
        members: which rules each group has.
        whole: whether one group holds all rules.
    """

    def __init__(
        self, automata: Sequence[Automaton], weights: Sequence[int | None], whole: int, most: int
    ) -> None:
        self._most = most
        self._joints: dict[tuple[int, ...], Joint | None] = {}
        self._searchers: dict[tuple[int, ...], Searcher] = {}
        every = tuple(range(len(automata)))
        alone = minimal(priced(automata[0], weights[0])) if len(automata) == 1 else None
        found = alone or product_of(automata, weights, whole)
        if found is not None:
            self.members: tuple[tuple[int, ...], ...] = (every,)
            self._products = [found]
        else:
            made = _gathered(automata, weights, min(_GROUP, most))
            self.members = tuple(members for members, _ in made)
            self._products = [product for _, product in made]
        self.whole = self.members == (every,)
        self._member = np.zeros((len(automata), len(self.members)), np.bool_)
        for g, members in enumerate(self.members):
            self._member[list(members), g] = True

    def of(self, broken: Bools) -> Bools:
        """Return which groups hold a broken rule, bool (n, groups), of bool (n, rules)."""
        if self.whole:
            return np.ones((len(broken), 1), np.bool_)
        held: Bools = broken @ self._member
        return held

    def joint(self, key: tuple[int, ...]) -> Joint | None:
        """Return the product of some groups, in ascending order; None where it is too large."""
        if key not in self._joints:
            if len(self._joints) >= _KEPT:
                self._joints.pop(next(iter(self._joints)))
            self._joints[key] = self._made(key)
        return self._joints[key]

    def searcher(self, key: tuple[int, ...]) -> Searcher:
        """Return what searches under some groups, whose product is too large."""
        if key not in self._searchers:
            if len(self._searchers) >= _KEPT:
                self._searchers.pop(next(iter(self._searchers)))
            self._searchers[key] = Searcher(self.products(key))
        return self._searchers[key]

    def products(self, key: tuple[int, ...]) -> list[Product]:
        """Return the products of some groups, one a group."""
        return [self._products[g] for g in key]

    def _made(self, key: tuple[int, ...]) -> Joint | None:
        found: Product | None = None
        for g in key:
            part = self._products[g]
            found = part if found is None else summed(found, part, self._most)
            if found is None or len(found.moves) > self._most:
                return None
            found = minimal(found)
        return Joint(found) if found is not None else None


def _gathered(
    automata: Sequence[Automaton], weights: Sequence[int | None], most: int
) -> list[tuple[tuple[int, ...], Product]]:
    """Return groups of rules on the same events, each with a product of `most` states or one rule alone."""
    told = [told_apart(a) for a in automata]
    alone = [minimal(priced(a, w)) for a, w in zip(automata, weights, strict=True)]
    left = sorted(range(len(automata)), key=lambda i: len(automata[i].moves))
    made: list[tuple[tuple[int, ...], Product]] = []
    while left:
        first = left.pop(0)
        members, seen, product = [first], told[first], alone[first]
        for i in sorted(left, key=lambda i: -len(told[i] & seen)):
            more = summed(product, alone[i], most) if told[i] & seen else None
            if more is not None:
                product = minimal(more)
                members.append(i)
                left.remove(i)
                seen |= told[i]
        made.append((tuple(sorted(members)), product))
    return made
