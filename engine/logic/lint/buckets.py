"""Rules in buckets, one for each decided variable that few others hang together with (bucket elimination).

Whether some value of a variable keeps all rules that speak of it depends on the other variables of these
rules alone. Where they come to few combinations it is worked out for each of them, and the variable need not
be guessed any more (Dechter 1999, "Bucket elimination: a unifying framework for reasoning").
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import prod

_MOST_WAYS = 64  # combinations of values that a bucket is worked out for
_MOST_WORK = 3_000  # the same, times what is in the bucket


@dataclass(frozen=True)
class Bucket:
    """What speaks of one decided variable.

    Attributes:
        variable: its number.
        size: how many values it has.
        members: rules by number, and other buckets.
        scope: the other decided variables that they speak of, rising.
    """

    variable: int
    size: int
    members: tuple[Member, ...]
    scope: tuple[int, ...]


Member = int | Bucket


def in_buckets(
    scopes: Mapping[int, Sequence[int]], sizes: Sequence[int], kept: Collection[int] = ()
) -> list[Member]:
    """Return rules as far as they can be put into buckets, and the others.

    Args:
        scopes: rule -> the decided variables that it speaks of.
        sizes: how many values each decided variable has.
        kept: variables that get no bucket.
    """
    members: dict[Member, set[int]] = {rule: set(scope) for rule, scope in scopes.items()}
    left = {v for scope in scopes.values() for v in scope} - set(kept)
    while left:
        together = {v: [m for m, scope in members.items() if v in scope] for v in left}
        scope_of = {v: {w for m in those for w in members[m]} for v, those in together.items()}
        ways = {v: prod(sizes[w] for w in scope) for v, scope in scope_of.items()}
        best = min(left, key=lambda v: (ways[v] * len(together[v]), v))
        if ways[best] > _MOST_WAYS or ways[best] * len(together[best]) > _MOST_WORK:
            left.remove(best)
            continue
        scope = scope_of[best] - {best}
        made = Bucket(best, sizes[best], tuple(together[best]), tuple(sorted(scope)))
        members = {m: s for m, s in members.items() if m not in made.members} | {made: scope}
        left.remove(best)
    return list(members)
