"""Looking at a rule set without any record: can it be kept, what does it fix, which rules say nothing new.

Every rule hangs on a selector, and its negation on another, in one incremental solver of the solver process;
each question is a set of assumptions.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from .clauses import clauses_of
from .normal import STRUCTURE, AtLeast, Bools, NormalForm
from .solver import Solver

SECONDS = 20.0


@dataclass(frozen=True)
class Examined:
    """What is known of a rule set; rules and variables by their number in the form.

    Attributes:
        satisfiable: whether all hard rules can be kept at once; None: not found out in time.
        core: where they cannot, rules that cannot be kept together, none of which can be left out.
        never: variables that are false wherever the rules are kept.
        always: variables that are true wherever they are.
        redundant: rules that the others imply.
        witnesses: for a rule, values that break it and no other hard rule, bool (variables,); a soft rule may
            break beside it.
        open: rules about which nothing was found out in time.
    """

    satisfiable: bool | None
    core: tuple[int, ...] = ()
    never: tuple[int, ...] = ()
    always: tuple[int, ...] = ()
    redundant: tuple[int, ...] = ()
    witnesses: tuple[tuple[int, Bools], ...] = ()
    open: tuple[int, ...] = ()


def examined(form: NormalForm, solver: Solver, seconds: float = SECONDS) -> Examined:
    """Return what `solver` finds out about `form` within `seconds`.

    A rule that holds whatever the values (a tautology) counts as redundant.

    Raises:
        SolverError: python-sat is not installed, or the process gave up.
    """
    told = solver.examine(*_asked(form), seconds)
    if not told["satisfiable"]:
        core = tuple(told.get("core", ()))
        return Examined(told["satisfiable"], core, open=() if core else tuple(range(len(form.rules))))
    names = len(form.variables)
    found: list[list[int] | None] = told["witnesses"]
    witnesses = [(i, np.array(w[:names]) > 0) for i, w in enumerate(found) if w]
    undecided = [i for i, w in enumerate(found) if w == []]
    return Examined(
        satisfiable=True,
        never=tuple(v - 1 for v in told["never"]),
        always=tuple(v - 1 for v in told["always"]),
        redundant=tuple(i for i, w in enumerate(found) if w is None),
        witnesses=tuple(witnesses),
        open=(*undecided, *range(len(found), len(form.rules))),
    )


def kept_variables(form: NormalForm) -> dict[int, int]:
    """Return for each soft rule the variable, from 1, that lets go of it.

    It costs to be false, and stands negated in every constraint of that rule and in no other.
    """
    sizes = Counter(c.rule for c in form.constraints)
    uses: dict[int, list[AtLeast]] = {}
    for c in form.constraints:
        for x in c.literals:
            if form.defaults[abs(x) - 1] and form.costs[abs(x) - 1] > 0:
                uses.setdefault(abs(x), []).append(c)
    found: dict[int, int] = {}
    for v, places in uses.items():
        rule = places[0].rule
        alone = all(c.rule == rule and -v in c.literals for c in places)
        if alone and rule != STRUCTURE and len(places) == sizes[rule]:
            found[rule] = v
    return found


def _asked(form: NormalForm) -> tuple[str, dict[str, Any]]:
    """Return clauses in which the selector `keep[i]` makes rule i hold, and the literals `break[i]` fail."""
    count, rules = len(form.variables), len(form.rules)
    keep = [count + 1 + i for i in range(rules)]
    negate = [count + rules + 1 + i for i in range(rules)]
    always = count + 2 * rules + 1  # true: the guard of what no rule states
    constraints = list(form.constraints)
    guards = [always if c.rule == STRUCTURE else keep[c.rule] for c in form.constraints]
    ways: list[list[int]] = [[] for _ in range(rules)]
    top = always
    for c in form.constraints:
        if c.rule != STRUCTURE:
            top += 1
            ways[c.rule].append(top)
            constraints.append(_denied(c))
            guards.append(top)
    coded = clauses_of(constraints, top, guards)
    coded.clauses += [[-n, *way] for n, way in zip(negate, ways, strict=True)]
    soft = kept_variables(form)
    breaking = [[negate[i], always, *([soft[i]] if i in soft else [])] for i in range(rules)]
    coded.clauses.append([always])
    return f"examined {coded.key}", {
        "variables": coded.variables,
        "clauses": coded.clauses,
        "keep": keep,
        "break": breaking,
        "outputs": count,
    }


def _denied(c: AtLeast) -> AtLeast:
    """Return what holds exactly where `c` does not: the weights of its false literals are too many."""
    total = sum(c.weights) if c.weights else len(c.literals)
    return AtLeast(tuple(-x for x in c.literals), max(total - c.bound + 1, 0), c.weights, c.rule)
