"""Weighted sums of literals that must reach a bound, while a rule is being lowered: joined and simplified.

Literals count variables from 1 and are negative where the variable must be false. A group is a set of
variables of which exactly one is true: what a group adds to a sum whatever is chosen leaves the sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Groups = Mapping[int, tuple[int, ...]]  # variable -> all variables of its group


@dataclass(frozen=True)
class Sum:
    """The weights of the true literals reach `bound`.

    Attributes:
        pairs: (literal, weight), each variable once, weights 1 to `bound`.
        bound: 0 where it always holds; where the weights cannot reach it, it never does.
    """

    pairs: tuple[tuple[int, int], ...]
    bound: int

    @property
    def clause(self) -> bool:
        """Whether any one of the literals is enough, or there are none."""
        return all(weight >= self.bound for _, weight in self.pairs)

    @property
    def always(self) -> bool:
        """Whether it holds whatever the values."""
        return self.bound <= 0


def clause_of(literals: Iterable[int], groups: Groups) -> Sum:
    """Return the sum that one true literal is enough for."""
    return sum_of(((x, 1) for x in literals), 1, groups, together=False)


def sum_of(pairs: Iterable[tuple[int, int]], bound: int, groups: Groups, *, together: bool = True) -> Sum:
    """Return `weight` of every true literal, added up, reaching `bound`, as simply as it can be said.

    Args:
        pairs: (literal, weight); a literal that comes again adds again where `together`, else counts once.
        bound: what must be reached.
        groups: the variables of which exactly one is true.
        together: whether weights of one literal add up.
    """
    weights: dict[int, int] = {}
    for literal, weight in pairs:
        before = weights.get(literal, 0)
        weights[literal] = before + weight if together else max(before, weight)
    bound = _without_opposites(weights, bound)
    bound = _without_groups(weights, bound, groups)
    if bound <= 0:
        return Sum((), 0)
    alone = {groups.get(abs(x)) for x, w in weights.items() if w}
    if len(alone) == 1 and None not in alone:  # one of the values has to reach the bound by itself
        weights = {x: w for x, w in weights.items() if w >= bound or x < 0}
    return Sum(tuple((x, min(w, bound)) for x, w in sorted(weights.items(), key=_by_variable) if w), bound)


def either(clause: Sum, other: Sum, groups: Groups) -> Sum:
    """Return the sum that holds where `clause` or `other` does."""
    if clause.always or other.always:
        return Sum((), 0)
    enough = {x: other.bound for x, _ in clause.pairs}
    rest = ((x, w) for x, w in other.pairs if x not in enough)
    return sum_of([*enough.items(), *rest], other.bound, groups)


def _by_variable(pair: tuple[int, int]) -> int:
    return abs(pair[0])


def _without_opposites(weights: dict[int, int], bound: int) -> int:
    """Take out what x and not x add between them whatever x is; return the bound that is left."""
    for literal in [x for x in weights if x > 0 and -x in weights]:
        both = min(weights[literal], weights[-literal])
        bound -= both
        weights[literal] -= both
        weights[-literal] -= both
    return bound


def _without_groups(weights: dict[int, int], bound: int, groups: Groups) -> int:
    """Say what a group adds in the fewest literals; return the bound that is left."""
    met = {groups[abs(x)]: None for x, w in weights.items() if w and abs(x) in groups}
    for group in met:
        if sum(weights.get(v, 0) > 0 for v in group) + sum(weights.get(-v, 0) > 0 for v in group) < 2:
            continue
        against = {v: weights.pop(-v, 0) for v in group}
        total = sum(against.values())
        adds = {v: weights.pop(v, 0) + total - against[v] for v in group}
        least = min(adds.values())
        bound -= least
        adds = {v: w - least for v, w in adds.items() if w > least}
        odd = [v for v in group if v not in adds]
        if len(odd) == 1 and len(set(adds.values())) == 1 and len(adds) > 1:
            adds = {-odd[0]: next(iter(adds.values()))}
        weights.update(adds)
    return bound
