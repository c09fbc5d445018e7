"""The independent parts of a rule set: decided variables that no constraint joins are decided apart.

Facts join nothing, since they are fixed: two parts may share them. What speaks of facts alone, or of nothing,
is a part of its own that decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import gcd

import numpy as np

from ..ports import I32, I64
from .normal import AtLeast, NormalForm


@dataclass(frozen=True)
class Part:
    """Some constraints over their own variables; literals count these from 1.

    Attributes:
        variables: int32 (k,), their indices in the form, from 0; facts first.
        given: how many of them are facts.
        constraints: the constraints, weights and bounds as small as they can be.
        numbers: their numbers in the form.
    """

    variables: I32
    given: int
    constraints: tuple[AtLeast, ...]
    numbers: tuple[int, ...]

    @cached_property
    def packed(self) -> tuple[I32, I32, I64, I64]:
        """Return offsets, int32 (m + 1,), literals, int32, weights, int64, and bounds, int64 (m,)."""
        sizes = [len(c.literals) for c in self.constraints]
        literals = [x for c in self.constraints for x in c.literals]
        weights = [w for c in self.constraints for w in (c.weights or (1,) * len(c.literals))]
        bounds = [c.bound for c in self.constraints]
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        return (
            offsets.astype(np.int32),
            np.array(literals, np.int32),
            np.array(weights, np.int64),
            np.array(bounds, np.int64),
        )


def parts_of(form: NormalForm) -> tuple[Part, ...]:
    """Return the parts in the order of their first decided variable; what decides nothing comes last."""
    leader = list(range(len(form.variables)))
    for c in form.constraints:
        decided = [abs(x) - 1 for x in c.literals if abs(x) > form.given]
        for v in decided[1:]:
            _join(leader, decided[0], v)
    of: dict[int, list[int]] = {}
    for i, c in enumerate(form.constraints):
        decided = [abs(x) - 1 for x in c.literals if abs(x) > form.given]
        of.setdefault(_find(leader, decided[0]) if decided else len(leader), []).append(i)
    return tuple(_part(form, of[key]) for key in sorted(of))


def tightened(constraint: AtLeast) -> AtLeast:
    """Return the same constraint with no weight above the bound and without a common factor.

    A weight beyond the bound is as good as the bound; a bound between two multiples of the common divisor of
    the weights is as good as the upper one.
    """
    if not constraint.weights:
        return constraint
    weights = [min(w, constraint.bound) for w in constraint.weights]
    common = gcd(*weights)
    made = tuple(w // common for w in weights)
    bound = -(-constraint.bound // common)
    return AtLeast(constraint.literals, bound, () if set(made) == {1} else made, constraint.rule)


def _part(form: NormalForm, numbers: list[int]) -> Part:
    chosen = [form.constraints[i] for i in numbers]
    variables = sorted({abs(x) - 1 for c in chosen for x in c.literals})
    place = {v: i for i, v in enumerate(variables, 1)}
    local = [
        AtLeast(
            tuple(place[abs(x) - 1] * (1 if x > 0 else -1) for x in c.literals), c.bound, c.weights, c.rule
        )
        for c in map(tightened, chosen)
    ]
    given = sum(v < form.given for v in variables)
    return Part(np.array(variables, np.int32), given, tuple(local), tuple(numbers))


def _find(leader: list[int], v: int) -> int:
    while leader[v] != v:
        leader[v] = leader[leader[v]]
        v = leader[v]
    return v


def _join(leader: list[int], a: int, b: int) -> None:
    a, b = _find(leader, a), _find(leader, b)
    leader[max(a, b)] = min(a, b)
