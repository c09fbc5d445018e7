"""Counts and weighted sums as clauses, by python-sat, each in the encoding that its size asks for.

Measured on satisfiable mixes of such constraints and random clauses (milliseconds for 24 questions to Glucose
4; python-sat 1.9.dev24, pindakaas 0.6.1):

    at least k of n        8, 4   20, 10   40, 20   100, 50   100, 90   100, 99
    sequential counter        2       14       24       180     2,656         3
    totalizer                 4       10       17       143     1,417        40
    k-modulo totalizer        7       20       25       102     1,748         4
    cardinality network       4       28       49       240     2,689         7

    n weights up to w     10, 9   10, 100   20, 9   20, 100   40, 20   40, 100
    decision diagram          3         3      13        56       81       323
    binary merge              5         9      11        20       22        34
    adder                    12        32      76       121      183       252

One direction is enough: where the clauses can be kept, the sum reaches its bound.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import RuleError, SolverError
from .normal import AtLeast

MOST_CLAUSES = 4_000_000
_PAIRS = 6  # literals of which two together are told of one by one, where all but one must hold
_COUNTER = 200  # of n times the smaller of k and n - k: up to here a sequential counter
_LARGE = 20_000  # the same: from here on what takes the fewest clauses
_DIAGRAM = 1_500  # n times the width that a decision diagram may come to, up to which it is taken


@dataclass
class Clauses:
    """Clauses over `variables` variables, of which the helpers are the last."""

    variables: int
    clauses: list[list[int]] = field(default_factory=list)


def clauses_of(
    constraints: Sequence[AtLeast], variables: int, guards: Sequence[int] | None = None
) -> Clauses:
    """Return `constraints` as clauses whose helpers come after `variables`.

    Args:
        constraints: what must hold.
        variables: the highest variable in use.
        guards: for each constraint a literal that lets go of it when it is false.

    Raises:
        RuleError: the sums need too many clauses.
        SolverError: python-sat, or pindakaas that it encodes weighted sums with, is not installed.
    """
    out = Clauses(variables)
    for i, constraint in enumerate(constraints):
        _add(out, constraint, [-guards[i]] if guards else [])
        if len(out.clauses) > MOST_CLAUSES:
            words = f"The rules need more than {MOST_CLAUSES:,} clauses for the solver."
            raise RuleError(words, do="Use smaller weights or shorter sums.")
    return out


def told(
    constraints: Sequence[AtLeast],
    variables: int,
    guards: Sequence[int] | None = None,
    clauses: Sequence[list[int]] = (),
) -> tuple[str, dict[str, Any]]:
    """Return a name for constraints and clauses, and both as the solver process reads them (`read`).

    Args:
        constraints: what must hold.
        variables: the highest variable in use.
        guards: for each constraint a literal that lets go of it when it is false.
        clauses: what must hold beside them.
    """
    rows = [
        [list(c.literals), c.bound, list(c.weights), guards[i] if guards else 0]
        for i, c in enumerate(constraints)
    ]
    form = {"variables": variables, "sums": rows, "clauses": list(clauses)}
    return hashlib.sha256(json.dumps(form).encode()).hexdigest(), form


def read(form: dict[str, Any]) -> Clauses:
    """Return what `told` made as clauses; for the solver process.

    Raises:
        RuleError, SolverError: as `clauses_of` does.
    """
    rows = form["sums"]
    sums = [AtLeast(tuple(literals), bound, tuple(weights)) for literals, bound, weights, _ in rows]
    guarded = any(guard for *_, guard in rows)
    out = clauses_of(sums, form["variables"], [guard for *_, guard in rows] if guarded else None)
    out.clauses += form["clauses"]
    return out


def _add(out: Clauses, constraint: AtLeast, guard: list[int]) -> None:
    literals, bound = constraint.literals, constraint.bound
    weights = constraint.weights or (1,) * len(literals)
    if bound <= 0:
        return
    if constraint.clause:
        out.clauses.append([*guard, *literals])
    elif sum(weights) < bound:
        out.clauses.append([*guard])
    elif sum(weights) - min(weights) < bound:  # none can be spared
        out.clauses.extend([*guard, x] for x in literals)
    else:
        try:
            made = (
                _sum(constraint, out.variables) if constraint.weights else _count(constraint, out.variables)
            )
        except (ImportError, AssertionError) as error:  # python-sat asserts that pindakaas is there
            words = "python-sat or pindakaas is not installed."
            do = "Rules that count or add need them: pip install 'polybit[logic]'."
            raise SolverError(words, why=str(error), do=do) from None
        out.variables = max(out.variables, made.nv)
        out.clauses.extend([*guard, *clause] for clause in made.clauses)


def _count(constraint: AtLeast, top: int) -> Any:
    """Return python-sat's encoding of a count, its helpers after `top`."""
    from pysat.card import CardEnc, EncType

    count, bound = len(constraint.literals), constraint.bound
    spare = min(bound, count - bound)
    if bound == count - 1:
        kind = EncType.pairwise if count <= _PAIRS else EncType.seqcounter
    elif count * spare > _LARGE:
        kind = EncType.kmtotalizer
    else:
        kind = EncType.seqcounter if count * spare < _COUNTER else EncType.totalizer
    return CardEnc.atleast(lits=list(constraint.literals), bound=bound, top_id=top, encoding=kind)


def _sum(constraint: AtLeast, top: int) -> Any:
    """Return python-sat's encoding of a weighted sum, its helpers after `top`."""
    from pysat.pb import EncType, PBEnc

    literals, weights = list(constraint.literals), list(constraint.weights)
    width = min(sum(weights), 1 << min(len(weights) // 2, 40))
    kind = EncType.bdd if len(weights) * width <= _DIAGRAM else EncType.binmerge
    return PBEnc.atleast(lits=literals, weights=weights, bound=constraint.bound, top_id=top, encoding=kind)
