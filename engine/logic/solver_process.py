"""The solver process: the only place that imports python-sat.

python-sat holds the interpreter lock while it solves, so it runs in a process of its own (solver.py starts
it). Requests and answers go over the pipes as a length (4 bytes, big-endian) and JSON; the end of the input
is the end of the process. Each request arms a watchdog, so that a process whose parent was killed in the
middle of a solve ends by itself.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from .anytime import Soft, cheapest, interrupted
from .lint.examination import Examination
from .messages import packed, read_message, write_message
from .unswept import unswept

_MOST_KEPT = 16  # rule sets
_MOST_VOCABULARIES = 4  # of texts being checked
_SOLVER = "glucose4"
_LEAST = 0.05  # seconds that a question may take, however late it is when all rules have arrived
_FOR_QUESTIONS = 0.95  # of the time; the rest is for telling what was found
_ONE = 0.001  # seconds in which one question is begun


class _Closing(Protocol):
    def close(self) -> None: ...


K = TypeVar("K", bound=_Closing)


class _Hasty:
    """A python-sat solver whose questions can be interrupted."""

    def __init__(self, solver: Any) -> None:
        self._solver = solver

    def __getattr__(self, name: str) -> Any:
        return getattr(self._solver, name)

    def solve_limited(self, assumptions: list[int]) -> bool | None:
        found: bool | None = self._solver.solve_limited(assumptions=assumptions, expect_interrupt=True)
        return found


class Ruled:
    """Sums and clauses that records are repaired under, or that are examined themselves."""

    def __init__(self, form: dict[str, Any]) -> None:
        from pysat.solvers import Solver

        from .clauses import read

        self.form, coded = form, read(form)
        self._clauses, self._variables = coded.clauses, coded.variables
        self._solver = Solver(name=_SOLVER, bootstrap_with=coded.clauses)
        self._examination: Examination | None = None

    def cheapest(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return the cheapest way to keep all clauses, as far as it is found in time (anytime.py).

        `soft` are literals with their `costs`, `facts` literals that must hold; RC2 proves `within` so many
        seconds that nothing is cheaper, or not.
        """
        from pysat.formula import WCNF

        soft = Soft(asked["soft"], asked["costs"])
        formula = None
        if any(soft.costs):
            formula = WCNF()
            formula.nv = self._variables
            formula.hard = [*self._clauses, *([fact] for fact in asked["facts"])]
            paid = [(x, c) for x, c in zip(soft.literals, soft.costs, strict=True) if c]
            formula.soft, formula.wght = [[x] for x, _ in paid], [c for _, c in paid]
            formula.topw = sum(formula.wght) + 1
        return cheapest(self._solver, formula, asked["facts"], soft, asked["within"])

    def reason(self, asked: dict[str, Any]) -> list[int]:
        """Return the numbers of those of `sets` that conflict with the clauses and `facts`, none to spare.

        What can be is left out in order; where all of them go together there are none.
        """
        facts, sets = asked["facts"], asked["sets"]

        def conflict(kept: list[int]) -> bool:
            return not self._solver.solve(assumptions=[*facts, *(x for i in kept for x in sets[i])])

        kept, needed = list(range(len(sets))), 0
        if not conflict(kept):
            return []
        while not conflict(kept[:needed]):
            # The more is left out the sooner it fits: how much can be is found by halving.
            most, few = len(kept) - needed, 0
            while most - few > 1:
                middle = (most + few) // 2
                if conflict(kept[:needed] + kept[needed + middle :]):
                    few = middle
                else:
                    most = middle
            kept = kept[:needed] + kept[needed + few :]
            needed += 1
        return kept[:needed]

    def examine(self, until: float) -> dict[str, Any]:
        """Return what is known of the rules (lint/examination.py) at a time, by the clock of the host."""
        if self._examination is None:
            self._examination = Examination(self.form, _Hasty(self._solver), self._variables)
        left = (until - time.time()) * _FOR_QUESTIONS
        with interrupted(self._solver, max(left, _LEAST)):
            self._examination.run(max(left, _ONE))
        self._solver.clear_interrupt()
        told = self._examination.as_json()
        return {**told, "witnesses": [[rule, packed(model)] for rule, model in told["witnesses"]]}

    def close(self) -> None:
        """Free the solver."""
        self._solver.delete()


class Checking:
    """Rule texts that somebody is writing, one at a time: lint/text.py, a slice of time a request."""

    def __init__(self) -> None:
        self._key = ""
        self._now: Any = None  # a TextExamination: its room is only read where a text is checked
        self._solvers: list[Any] = []
        self._memories: OrderedDict[str, Any] = OrderedDict()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return {"checked": what is known} at the end or where no time is given, else {"going": true}."""
        if request["check"] != self._key:
            if "form" not in request:
                return {"missing": True}
            self._begin(request["check"], request["form"])
        done = self._now.run(float(request["within"]))
        return (
            {"checked": self._now.checked().as_json()} if done or not request["within"] else {"going": True}
        )

    def _begin(self, key: str, asked: dict[str, Any]) -> None:
        from .lint.memory import Memory
        from .lint.text import TextExamination, vocabulary_of

        name = json.dumps(asked["vocabulary"])
        memory = self._memories.pop(name, None) or Memory()
        self._memories[name] = memory
        if len(self._memories) > _MOST_VOCABULARIES:
            self._memories.popitem(last=False)
        while self._solvers:
            self._solvers.pop().delete()
        vocabulary = vocabulary_of(asked["vocabulary"])
        self._now = TextExamination(
            asked["text"], vocabulary, asked["origins"], memory, self._fresh, asked["patience"]
        )
        self._key = key

    def _fresh(self, clauses: list[list[int]]) -> Any:
        from pysat.solvers import Solver

        self._solvers.append(Solver(name=_SOLVER, bootstrap_with=clauses))
        return self._solvers[-1]


class Desk:
    """Answers requests; keeps the rules it was told most recently."""

    def __init__(self) -> None:
        self._ruled: OrderedDict[str, Ruled] = OrderedDict()
        self._checking = Checking()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to one request: what it asks for, {"missing": true} or {"failed": why}.

        A request about `rules` is answered by {"cheapest": ...}, {"reason": ...} or {"examined": ...}.
        """
        try:
            if "check" in request:
                return self._checking.answer(request)
            return self._of_rules(request)
        except ImportError as error:
            return {"absent": str(error)}
        except Exception as error:  # noqa: BLE001 - whatever it is, the asker must hear of it
            return {"failed": f"{type(error).__name__}: {error}"}

    def _of_rules(self, request: dict[str, Any]) -> dict[str, Any]:
        ruled = _kept(self._ruled, request["rules"], request.get("form"), Ruled)
        if ruled is None:
            return {"missing": True}
        if "record" in request:
            return {"cheapest": ruled.cheapest(request["record"])}
        if "reason" in request:
            return {"reason": ruled.reason(request["reason"])}
        return {"examined": ruled.examine(float(request["asked"]) + float(request["within"]))}


def _kept(told: OrderedDict[str, K], key: str, form: Any, make: Callable[[Any], K]) -> K | None:
    """Return what was made under `key`, or is now made of `form`; None where that is not given."""
    if key not in told:
        if form is None:
            return None
        told[key] = make(form)
    told.move_to_end(key)
    if len(told) > _MOST_KEPT:
        told.popitem(last=False)[1].close()
    return told[key]


def _prepare() -> None:
    """Load what checking a text takes, and make the parser ready."""
    from pysat.solvers import Solver

    from .language import read
    from .lint.text import TextExamination

    read("rule: a\n")
    _ = Solver, TextExamination


def _received() -> dict[str, Any] | None:
    with unswept():
        return read_message(sys.stdin.buffer)


def main() -> None:
    """Answer requests from standard input on standard output until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the parent, whose end ends us
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing that a library prints may mix with answers
    desk = Desk()
    if "--prepared" in sys.argv:
        with suppress(ImportError):  # whoever asks is told
            _prepare()
    write_message(answers, {"ready": True})
    while (request := _received()) is not None:
        faulthandler.dump_traceback_later(float(request["seconds"]) + 1.0, exit=True)
        with unswept():
            answer = desk.answer(request)
        faulthandler.cancel_dump_traceback_later()
        try:
            write_message(answers, answer)
        except BrokenPipeError:
            return


if __name__ == "__main__":
    main()
