"""Helpers of a normal form: gates that constraints define in one direction, made exact where that counts.

Where a helper is true its constraints hold; where they hold it may still be false. That is enough to find
the cheapest answer. To count answers, or to deny a rule, a helper must be true exactly where its
constraints hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from .normal import STRUCTURE, AtLeast, Bools, NormalForm


def defined(c: AtLeast, helpers: Bools) -> int:
    """Return the helper, from 1, that lets go of a constraint when it is false, or 0.

    Args:
        c: the constraint.
        helpers: bool (variables,), which variables are helpers.
    """
    weights = c.weights or (1,) * len(c.literals)
    for x, w in zip(c.literals, weights, strict=True):
        if x < 0 and helpers[-x - 1] and w >= c.bound:
            return -x
    return 0


def without(helper: int, c: AtLeast) -> AtLeast:
    """Return what a constraint that defines a helper says where that is true."""
    rest = [i for i, x in enumerate(c.literals) if x != -helper]
    weights = tuple(c.weights[i] for i in rest) if c.weights else ()
    return AtLeast(tuple(c.literals[i] for i in rest), c.bound, weights, c.rule)


def opposite(c: AtLeast) -> AtLeast:
    """Return what holds exactly where `c` does not: the weights of its false literals are too many."""
    total = sum(c.weights) if c.weights else len(c.literals)
    return AtLeast(tuple(-x for x in c.literals), max(total - c.bound + 1, 0), c.weights, c.rule)


def exact(form: NormalForm, helpers: Bools) -> NormalForm:
    """Return `form` with its helpers exact, and a further variable wherever one is the end of several.

    Every answer of the form then goes with one set of values of the helpers and of these.
    """
    uses: dict[int, list[AtLeast]] = {int(v) + 1: [] for v in np.flatnonzero(helpers)}
    for c in form.constraints:
        helper = defined(c, helpers)
        if helper:
            uses.setdefault(helper, []).append(without(helper, c))
    added: list[AtLeast] = []
    top = len(form.variables)
    for helper, parts in uses.items():
        fails: list[int] = [helper]
        for part in parts:
            if len(parts) == 1:
                added.append(_where(-helper, opposite(part)))
                continue
            top += 1  # true exactly where this part fails
            fails.append(top)
            added += [_where(top, opposite(part)), _where(-top, part)]
        if len(parts) != 1:
            added.append(AtLeast(tuple(fails), 1))
    more = top - len(form.variables)
    return replace(
        form,
        variables=(*form.variables, *_names(more)),
        constraints=(*form.constraints, *added),
        defaults=np.concatenate([form.defaults, np.ones(more, np.bool_)]),
        costs=np.concatenate([form.costs, np.zeros(more, np.int64)]),
    )


def _where(literal: int, c: AtLeast) -> AtLeast:
    """Return that a constraint holds where `literal` does."""
    weights = c.weights or (1,) * len(c.literals)
    if c.bound <= 0:
        return AtLeast((literal, -literal), 1)
    return AtLeast((-literal, *c.literals), c.bound, (c.bound, *weights), STRUCTURE)


def _names(count: int) -> Iterable[str]:
    return (f"fails {i}" for i in range(1, count + 1))
