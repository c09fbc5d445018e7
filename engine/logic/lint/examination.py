"""The questions about a rule set, asked of one incremental solver: runs in the solver process.

Each question is a set of assumptions. Demanding all rules but one would take as many assumptions as there are
rules, so the selectors hang on a binary tree: a node demands all rules below it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from .tree import IncrementalSolver, Tree, split

BUDGETS = (3_000, 200_000)  # conflicts of one question: of the first round, and of the second
Conflict = Callable[[tuple[bool, ...]], Sequence[int] | None]
_SAMPLES = 24  # models asked for, for what is never told apart
_CHOICES = 500  # of flags that cannot be together, within one question
_CORES = 8  # conflicts that are told of one rule set


@dataclass
class Known:
    """What is known of rules before they are examined, from a text that had most of them.

    Attributes:
        models: models of all hard rules, as far as the watched variables.
        witnessed: rules of which a record is known that breaks no other hard rule, no fact missing.
        implied: rule -> its minimal reasons, for rules that are implied where no fact is missing.
        vacuous: rule -> reasons that its condition never holds, for implied rules.
        fixed: literal -> minimal reasons, for watched variables and those that let go of a soft rule.
    """

    models: list[list[int]] = field(default_factory=list)
    witnessed: set[int] = field(default_factory=set)
    implied: dict[int, list[int]] = field(default_factory=dict)
    vacuous: dict[int, list[int]] = field(default_factory=dict)
    fixed: dict[int, list[int]] = field(default_factory=dict)


class Examination:
    """One rule set under examination: `run` it until it is done, `told` is what is known so far.

    Args:
        asked: what lint/question.py sends.
        solver: it holds the clauses of `asked` (clauses.py reads them).
        top: the highest variable in these.
        budgets: conflicts that a question may take, round by round; what none decides stays open.
        known: what is known already.

    Attributes:
        told: what has been found out so far.
        models: models of all hard rules that were found on the way.
        done: whether nothing is left to ask.
    """

    def __init__(
        self,
        asked: dict[str, Any],
        solver: IncrementalSolver,
        top: int,
        budgets: tuple[int, ...] = BUDGETS,
        known: Known | None = None,
    ) -> None:
        self._solver, self._budgets = solver, budgets
        self._outputs: int = asked["outputs"]
        self._watched: list[int] = asked["watched"]
        self._deny: list[list[int]] = asked["deny"]
        self._conditions: list[list[list[int]]] = asked["conditions"]
        self._whole = [asked["known"]] if asked["known"] else []
        self._soft: dict[int, int] = {i: v for i, v in enumerate(asked["soft"]) if v}
        self._count = len(asked["keep"])
        self._tree = Tree(asked["keep"], top, solver)
        self._scopes: list[list[int]] = asked["scopes"]
        self._budget = budgets[0]
        # What the first conflict named, and the literals that it conflicts with.
        self._reasons: dict[str, dict[int, tuple[list[int], list[int]]]] = {
            "implied": {},
            "vacuous": {},
            "fixed": {},
        }
        self._known = known or Known()
        self.models = self._known.models
        self._beside: list[tuple[tuple[int, ...], Conflict]] = []
        self.told: dict[str, Any] = {
            "satisfiable": None,
            "cores": [],
            "soft_core": [],
            "fixed": {},  # literal that holds wherever the rules are kept -> rules that make it, as above
            "lifted": [],  # literals of these that need not hold where a fact is missing
            "witnesses": {},  # rule -> model; those in `gaps` leave a fact out
            "gaps": [],
            # rule -> rules that imply it, none to spare but for a rule in `vacuous`; None: not known yet
            "implied": {},
            "removable": [],  # implied rules that can all be dropped at once
            "vacuous": {},  # rule -> rules that keep its condition from holding, in the same way
            "equal": [],  # pairs of variables
            "same": [],  # pairs of rules
            "open": list(range(len(asked["keep"]))),
        }
        for rule in self._known.witnessed:
            self.told["open"].remove(rule)
        self._steps = self._questions()
        self.done = False

    def run(self, seconds: float) -> bool:
        """Ask for about `seconds`; return whether nothing is left to ask."""
        until = time.monotonic() + seconds
        while not self.done and time.monotonic() < until:
            self.done = next(self._steps, True) is True
        return self.done

    def beside(self, flags: Sequence[int], conflict: Conflict) -> None:
        """Ask of every model which of the values of `flags`, variables, cannot be together; none: all can."""
        self._beside.append((tuple(flags), conflict))
        self._solver.set_phases(list(flags))

    def as_json(self) -> dict[str, Any]:
        """Return `told` without numbers as keys, which JSON has none of."""
        named = ("witnesses", "implied", "vacuous", "fixed")
        return {key: list(map(list, v.items())) if key in named else v for key, v in self.told.items()}

    def answer(self, rules: Sequence[int], beside: list[int]) -> list[int] | None:
        """Return a model of some rules and literals; None: there is none, []: not found out."""
        self._budget = self._budgets[-1]
        return self._model([*self._demanded(rules), *beside])

    def named(self) -> set[int]:
        """Return what the core of the last question names that had no model."""
        return set(self._solver.get_core() or ())

    def clash(self, rules: Sequence[int], beside: list[int]) -> list[int]:
        """Return those of some rules that conflict with literals as all of them do, none to spare."""
        asked = self._demanded(rules)
        core = self._conflict() if self._model([*asked, *beside]) is None else asked
        return self._minimal(core, beside)

    def _questions(self) -> Iterator[None]:
        for budget in self._budgets:
            self._budget = budget
            if self.told["satisfiable"] is None:
                yield from self._consistency()
            if self.told["satisfiable"] is not None:
                break
        if not self.told["satisfiable"]:
            return
        yield from self._backbone()
        for budget in self._budgets:
            self._budget = budget
            for rule in list(self.told["open"]):
                self._examine(rule)
                yield
        self._budget = self._budgets[0]
        yield from self._equal()
        yield from self._together()
        yield from self._shortened()
        yield from self._same()
        yield from self._soft_together()

    # One question each

    def _consistency(self) -> Iterator[None]:
        dropped: set[int] = set()
        if self.models:
            self.told["satisfiable"] = True
        while not self.models and len(self.told["cores"]) < _CORES:
            model = self._model([*self._tree.but(dropped), *self._whole])
            if model is None:
                core = self._minimal(self._conflict(), self._whole)
                self.told["cores"].append(core)
                self.told["satisfiable"] = False
                self.told["open"] = [i for i in self.told["open"] if i not in core]
                dropped |= set(core)
                yield
                if core:
                    continue
            elif model and not dropped:
                self.told["satisfiable"] = True
                self.models.append(model)
            return

    def _backbone(self) -> Iterator[None]:
        open_ = {x for v in self._watched for x in (v, -v)} | {-v for v in self._soft.values()}
        for model in self.models:
            open_ -= {-x for x in model}
        everything = [*self._tree.but(()), *self._whole]
        for literal in sorted(open_, key=abs):
            if literal not in open_:
                continue
            if literal in self._known.fixed:
                self.told["fixed"][literal] = self._known.fixed[literal]
                self._lift(literal)
                continue
            self._solver.set_phases([-x for x in open_])
            other = self._model([*everything, -literal])
            if other is None:
                self.told["fixed"][literal] = None
                self._reasons["fixed"][literal] = (self._conflict(), [-literal])
                self._lift(literal)
            elif other:
                self.models.append(other)
                open_ -= {-x for x in other}
            yield

    def _lift(self, literal: int) -> None:
        """Look whether a literal that is fixed need not hold where a fact is missing."""
        if self._whole and self._model([*self._tree.but(()), -literal]):
            self.told["lifted"].append(literal)

    def _examine(self, rule: int) -> None:
        """Look for what breaks a rule and no other; where nothing does, for what makes its condition hold."""
        implied = self._known.implied.get(rule)
        model = None if implied is not None else self._breaking(rule, self._whole)
        if model is None:
            self.told["implied"][rule] = implied
            if implied is None:
                self._reasons["implied"][rule] = (self._conflict(), self._deny[rule])
            if self._whole:  # with a fact missing others may let through what breaks this one
                model = self._breaking(rule, [])
                self.told["gaps"] += [rule] if model else []
        if model == []:
            return
        if model:
            self.told["witnesses"][rule] = model[: self._outputs]
        self.told["open"].remove(rule)
        if rule in self.told["implied"]:
            self._look_at_condition(rule)

    def _breaking(self, rule: int, beside: list[int]) -> list[int] | None:
        """Return a model that breaks a rule and no other hard one, of the soft ones none if that can be."""
        assumed = [*self._tree.but({rule}), *self._deny[rule], *beside]
        kept = [v for i, v in self._soft.items() if i != rule]
        self._solver.set_phases([-v for v in self._watched])
        return (self._model([*assumed, *kept]) if kept else None) or self._model(assumed)

    def _look_at_condition(self, rule: int) -> None:
        """Look whether a condition never holds; what breaks a rule alone makes its condition hold."""
        if self._known.vacuous.get(rule) is not None:
            self.told["vacuous"][rule] = self._known.vacuous[rule]
            return
        for body in self._conditions[rule]:
            # With a fact missing it may hold: `if x is missing then ...`, or where others let go.
            if self._model([*self._tree.but({rule}), *body]) is None:
                self.told["vacuous"][rule] = None
                self._reasons["vacuous"][rule] = (self._conflict(), body)
                break

    def _shortened(self) -> Iterator[None]:
        """Make the reasons of what is implied or vacuous minimal."""
        for kind in ("vacuous", "implied", "fixed"):
            for rule, (reasons, beside) in self._reasons[kind].items():
                # What keeps a condition from holding implies its rule too.
                idle = self.told["vacuous"].get(rule) if kind == "implied" else None
                if idle is None:
                    whole = [] if kind == "vacuous" else self._whole
                    idle = self._minimal(reasons, [*beside, *whole])
                    yield
                self.told[kind][rule] = idle

    def _same(self) -> Iterator[None]:
        """Pair implied rules that say the same: over the same variables, or each the other's only reason."""
        alike: dict[object, list[int]] = {}
        implied = {rule: why for rule, why in self.told["implied"].items() if why != []}  # no tautologies
        for rule in sorted(implied):
            alike.setdefault(tuple(self._scopes[rule]), []).append(rule)
        pairs = {pair for group in alike.values() for pair in combinations(group, 2)}
        lone = {rule: why[0] for rule, why in implied.items() if why is not None and len(why) == 1}
        pairs |= {(min(a, b), max(a, b)) for a, b in lone.items() if b in implied}
        for a, b in sorted(pairs):
            if all(
                self._model([self._tree.leaf(x), *self._deny[y], *self._whole]) is None
                for x, y in ((a, b), (b, a))
            ):
                self.told["same"].append([a, b])
            yield

    def _together(self) -> Iterator[None]:
        """Find implied rules that can be dropped at once: later ones first."""
        left = [i for i in self.told["implied"] if i not in self.told["gaps"]]
        needed = self._tree.but(set(left))
        for rule in sorted(left, reverse=True):
            rest = [i for i in left if i != rule]
            if self._model([*needed, *map(self._tree.leaf, rest), *self._deny[rule]]) is None:
                left = rest
                self.told["removable"].append(rule)
            yield

    def _equal(self) -> Iterator[None]:
        """Pair the watched variables that no record kept to the rules tells apart."""
        everything = [*self._tree.but(()), *self._whole]
        chance = random.Random(0)  # noqa: S311 - only the same models each time
        for _ in range(_SAMPLES - len(self.models)):
            self._solver.set_phases([v if chance.random() < 0.4 else -v for v in self._watched])
            model = self._model(everything)
            if model:
                self.models.append(model)
            yield
        fixed = {abs(x) for x in self.told["fixed"]}
        groups = [[v for v in self._watched if v not in fixed]]
        for model in self.models:
            groups = split(groups, model)
        while groups:
            first, *rest = groups.pop()
            if not rest:
                continue
            one = rest[0]
            yield
            told = self._told_apart([*everything], first, one)
            if told is None:
                self.told["equal"].append([first, one])
                groups.append([first, *rest[1:]])
            elif told:
                groups = split([*groups, [first, *rest]], told)
            else:  # not decided
                groups.append([first, *rest[1:]])

    def _told_apart(self, everything: list[int], a: int, b: int) -> list[int] | None:
        found = self._model([*everything, a, -b])
        return self._model([*everything, -a, b]) if found is None else found

    def _soft_together(self) -> Iterator[None]:
        """Find soft rules that cannot all be kept."""
        kept = {v: i for i, v in self._soft.items()}
        if not kept or self._model([*self._tree.but(()), *self._whole, *kept]) is not None:
            return
        everything = [*self._tree.but(()), *self._whole]
        core = [x for x in self._solver.get_core() or [] if x in kept]
        for literal in list(core):
            rest = [x for x in core if x != literal]
            if literal in core and self._model([*everything, *rest]) is None:
                core = [x for x in self._solver.get_core() or [] if x in rest]
            yield
        self.told["soft_core"] = sorted(kept[x] for x in core)

    # The solver

    def _model(self, assumptions: list[int]) -> list[int] | None:
        """Return a model, None where there is none, or [] where that takes too many conflicts."""
        for _ in range(_CHOICES):
            self._solver.conf_budget(self._budget)
            found = self._solver.solve_limited(assumptions=assumptions)
            if found is None:
                return []
            if not found:
                return None
            # Without any variable the model is empty: 0 stands for it.
            model = self._solver.get_model() or [0]
            wrong = next(filter(None, (self._wrong(model, *beside) for beside in self._beside)), None)
            if wrong is None:
                return model
            self._solver.add_clause([-x for x in wrong])
        return []

    def _wrong(self, model: list[int], flags: tuple[int, ...], conflict: Conflict) -> list[int]:
        """Return literals of a model that cannot be together, or []."""
        found = conflict(tuple(model[v - 1] > 0 for v in flags))
        return [model[flags[i] - 1] for i in found or ()]

    def _demanded(self, rules: Sequence[int]) -> list[int]:
        """Return literals that demand some rules, few where these are most of all."""
        if 2 * len(rules) < self._count:
            return list(map(self._tree.leaf, rules))
        return self._tree.but(set(range(self._count)).difference(rules))

    def _conflict(self) -> list[int]:
        """Return the selectors that the last question's conflict names."""
        return self._tree.selectors(self._solver.get_core() or [])

    def _minimal(self, core: list[int], beside: list[int]) -> list[int]:
        """Return rules among those that `core` demands that conflict with `beside`, none of them to spare.

        Whatever takes too many conflicts stays in.
        """
        while (wider := self._tree.opened(core)) != core:
            core = self._conflict() if self._model([*wider, *beside]) is None else wider
        for selector in list(core):
            rest = [x for x in core if x != selector]
            if selector in core and self._model([*rest, *beside]) is None:
                core = self._conflict()
        return sorted(map(self._tree.rule, core))
