"""The cheapest way to keep clauses, as far as it is found in time: for the solver process.

RC2 (Ignatiev, Morgado, Marques-Silva 2019, RC2: an Efficient MaxSAT Solver, JSAT 11) proves from below: until
it ends it has a bound but nothing to show. So the last of the time goes to answers: the soft literals are
taken one after the other, the dear ones first, each kept if it goes with those before; again in slightly
other orders, from the best answer so far, for as long as there is time.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

_FOR_ANSWERS = 0.2  # of the time, where RC2 comes to no end
_LEAST = 0.05  # seconds for answers, however little time there is
_FIRST = 1.0  # seconds at least to find out whether there is an answer at all
_CONFLICTS = 500  # of one question about one soft literal
_SPREAD = 0.3  # of the logarithms of the costs, from one order to the next
_AGAIN = 0.02  # seconds between two interruptions: one may come when nothing is being solved


class _Interruptible(Protocol):
    def interrupt(self) -> None: ...


@dataclass(frozen=True)
class Soft:
    """What n literals that need not hold cost if they do not."""

    literals: Sequence[int]
    costs: Sequence[int]

    def cost(self, model: Sequence[int]) -> int:
        """Return what a model costs, its literals in the order of the variables."""
        pairs = zip(self.literals, self.costs, strict=True)
        return sum(c for x, c in pairs if abs(x) <= len(model) and model[abs(x) - 1] != x)


def cheapest(solver: Any, formula: Any, facts: list[int], soft: Soft, seconds: float) -> dict[str, Any]:
    """Return {"values": a model or null, "proven": whether none is cheaper, "bound": what any costs}.

    The bound is what any costs at least. Without values and `proven` there is none; without both, none was
    found in time.

    Args:
        solver: a python-sat solver that holds the hard clauses.
        formula: a WCNF of the same and of the soft literals that cost something; None where none does.
        facts: literals that must hold.
        soft: what may be broken at a price.
        seconds: for all of it.
    """
    began = time.monotonic()
    solver.set_phases(soft.literals)
    solver.conf_budget(-1)
    with interrupted(solver, max(seconds, _FIRST)):
        found = solver.solve_limited(assumptions=facts, expect_interrupt=True)
    solver.clear_interrupt()
    if not found:
        return {"values": None, "proven": found is False, "bound": 0}
    model = solver.get_model()
    if formula is None:
        return {"values": model, "proven": True, "bound": 0}
    left = seconds - (time.monotonic() - began)
    values, bound = _from_below(formula, left * (1 - _FOR_ANSWERS)) if left > 0 else (None, 0)
    if values is not None:
        return {"values": values, "proven": True, "bound": bound}
    until = max(began + seconds, time.monotonic() + _LEAST)
    model = _from_above(solver, facts, soft, model, until)
    return {"values": model, "proven": soft.cost(model) <= bound, "bound": bound}


def _from_below(formula: Any, seconds: float) -> tuple[list[int] | None, int]:
    """Return RC2's model, or None out of time, and what any model costs at least."""
    from pysat.examples.rc2 import RC2Stratified

    with RC2Stratified(formula, solver="g4", adapt=True, exhaust=True, minz=True) as rc2:
        with interrupted(rc2, seconds):
            model = rc2.compute(expect_interrupt=True)
        return model, int(rc2.cost)


def _from_above(solver: Any, facts: list[int], soft: Soft, model: list[int], until: float) -> list[int]:
    """Return the cheapest model found until a time of the monotonic clock; `model` is one."""
    rng = random.Random(0)  # noqa: S311 - not for secrets
    pairs = [(c, x) for c, x in zip(soft.costs, soft.literals, strict=True) if c]
    best, spread = model, 0.0
    while time.monotonic() < until:
        keyed = sorted(pairs, key=lambda pair: -pair[0] * rng.lognormvariate(0, spread))
        tried = _greedy(solver, facts, [x for _, x in keyed], model, until)
        if soft.cost(tried) < soft.cost(best):
            best = tried
            solver.set_phases(best)
        spread = _SPREAD
    solver.conf_budget(-1)
    return best


def _greedy(solver: Any, facts: list[int], order: list[int], model: list[int], until: float) -> list[int]:
    """Return a model that keeps each literal in turn if it goes with those before, as far as is seen soon."""
    kept = list(facts)
    first = True
    for x in order:
        if not first and model[abs(x) - 1] == x:
            kept.append(x)
            continue
        if time.monotonic() > until:
            break
        solver.conf_budget(_CONFLICTS)
        if solver.solve_limited(assumptions=[*kept, x]):
            model, first = solver.get_model(), False
            kept.append(x)
    return model


@contextmanager
def interrupted(what: _Interruptible, seconds: float) -> Iterator[None]:
    """Interrupt `what` after so many seconds, again and again until it has ended."""
    done = threading.Event()

    def ring() -> None:
        wait = max(seconds, 0.0)
        while not done.wait(wait):
            what.interrupt()
            wait = _AGAIN

    thread = threading.Thread(target=ring, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
