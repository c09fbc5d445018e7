"""Exact repair of one class: the most probable class that breaks no rule.

Facts are given and exactly one class holds, so the most probable answer that keeps the rules is the highest
score among the classes that they allow. Which classes those are depends on the facts only through the
outcomes of the rules' tests: for every distinct row of outcomes each rule is asked about each class once, and
what it said is remembered. A forbidden class gets -inf, which makes softmax the exact conditional
distribution given the rules; a soft rule that a class breaks takes its weight from the score, as in a
log-linear model.

Where more is decided than the class, the class is repaired by what the rest can be made to be: a class is
allowed where some values of the rest keep the rules with it, and pays for the soft rules that the cheapest of
them break.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, fields
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import RuleError
from ..guard import Agreement
from ..kernels.guard import best_allowed
from ..ports import F32, F64, I64
from .lowering import FURTHEST, SCALE, Compiled, lowered, soft_costs
from .pipeline import ALLOWED, CHECK, NONE, OPTIMAL, STATUS, TOOLS, U8, Decided, Engine
from .ruleset import RuleSet
from .solver import Solver, shared_solver
from .truth import Bools, Outcomes
from .vocabulary import CLASS

_MOST_KEPT = 1 << 24  # answers of rules that are remembered: rows of outcomes, times classes, times rules
_AT_ONCE = 1 << 22  # answers of rules that are worked out at a time
_BLOCK = 4_096  # records that are repaired at a time
_DIGITS = 39  # outcomes, of three kinds each, that fit 64 bits

EVERY = "every class"  # the engine that asks each rule about each class
ENGINES = (*TOOLS, EVERY)
_STATUS = np.array([ALLOWED, OPTIMAL, NONE], np.uint8)
_ENGINE = np.array([CHECK, *[len(TOOLS)] * (len(STATUS) - 1)], np.uint8)  # by status


@dataclass(frozen=True)
class Repaired:
    """n repaired answers.

    Attributes:
        scores: float32 (n, classes), the raw scores less what broken soft rules cost, -inf where a class is
            forbidden.
        allowed: bool (n, classes), which classes keep every hard rule.
        raw_labels: int64 (n,), the class with the highest raw score.
        labels: int64 (n,), the same after repair; -1 where the rules allow no class.
        status: uint8 (n,), a place in STATUS: `allowed` where the raw answer breaks no rule.
        engine: uint8 (n,), a place in ENGINES: what gave the answer.
        broken: bool (n, rules), which rules the raw answer breaks.
        left: bool (n, rules), which rules the answer still breaks: the raw answer's where no class is
            allowed, soft ones elsewhere.
    """

    scores: F32
    allowed: Bools
    raw_labels: I64
    labels: I64
    status: U8
    engine: U8
    broken: Bools
    left: Bools

    def words(self, record: int) -> tuple[str, str, str]:
        """Return the status of a record, the engine that gave it, and why that is so."""
        status, engine = int(self.status[record]), int(self.engine[record])
        count = int(self.allowed[record].sum())
        why = {
            ALLOWED: "it breaks no rule",
            OPTIMAL: f"the rules allow {count} of {self.allowed.shape[1]} classes; this one costs least",
            NONE: "each class breaks a rule",
        }
        return STATUS[status], ENGINES[engine], why.get(status, "not every class was settled in time")


class Repair:
    """Repairs the answers of one rule set, remembering what the rules said of facts seen before.

    Args:
        rules: the rules, which decide one category `class`.
        solver: which process to ask where one is needed at all; the shared one if left out.

    Raises:
        RuleError: no class is decided.
    """

    def __init__(self, rules: RuleSet, solver: Solver | None = None) -> None:
        self.rules = rules
        if CLASS not in rules.vocabulary.decided_numbers:
            raise RuleError("The rules decide no class.", do="Let the node decide several labels.")
        self._solver = solver or shared_solver()
        self._soft = soft_costs(rules.rules)
        self._number = rules.vocabulary.decided_numbers[CLASS]
        self._table = _Table(rules, self._soft) if len(rules.vocabulary.decided) == 1 else None

    def __call__(self, scores: F32, facts: F64) -> Repaired:
        """Repair the answers of n records; a record's result does not depend on the others.

        Args:
            scores: float32 (n, classes), logits; NaN counts as -inf.
            facts: float64 (n, columns), NaN for a gap.

        Raises:
            SolverError: the solver process is needed and not available.
        """
        if len(scores) > _BLOCK:
            parts = [
                self(scores[at : at + _BLOCK], facts[at : at + _BLOCK])
                for at in range(0, len(scores), _BLOCK)
            ]
            return Repaired(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Repaired)))
        if np.isnan(scores.min(initial=0)):  # what is no number is no reason for a class
            scores = np.where(np.isnan(scores), np.float32(-np.inf), scores)
        tests = self.rules.outcomes(facts)
        raw = scores.argmax(1).astype(np.int64)
        if self._table is None:
            return self._with_others(tests, scores, raw)
        told, table = self._table.of(tests)
        allowed = table.allowed[told]
        lost = table.lost if self._soft else np.empty((0, 0), np.int64)
        repaired, labels = _lessened(told, table.allowed, lost, scores)
        broken = table.broken[told, raw]
        left = table.broken[told, np.where(labels < 0, raw, labels)]
        status = _STATUS[np.where(labels < 0, 2, table.breaks[told, raw])]
        engine = _ENGINE[status]
        return Repaired(repaired, allowed, raw, labels, status, engine, broken, left)

    def agreement(self, scores: F32, facts: F64, done: Repaired, sample: int, seed: int = 0) -> Agreement:
        """Return how often RC2, asked for the whole of a record, finds the cost of the answers `done`.

        Args:
            scores: float32 (n, classes), the raw scores that were repaired.
            facts: float64 (n, columns).
            done: what they were repaired to.
            sample: how many records to solve once more.
            seed: chooses them.

        Raises:
            SolverError: the solver process is not available.
        """
        count = min(sample, len(scores))
        rows = np.sort(np.random.default_rng(seed).choice(len(scores), count, replace=False))
        predicted, costs = self._compiled.asked(
            self.rules.padded(facts[rows]), self._among_others(scores[rows])
        )
        paid = np.rint((scores[rows].max(1, keepdims=True) - scores[rows]).astype(np.float64) * SCALE)
        told = paid[np.arange(count), np.maximum(done.labels[rows], 0)].astype(np.int64)
        for i, cost in self._soft.items():
            told += cost * done.left[rows, i]
        told[done.labels[rows] < 0] = -1
        decided = Decided(predicted, told, told, done.status[rows], done.engine[rows])
        return self._engine.agreement(predicted, costs, decided, count)

    # Inside

    @cached_property
    def _compiled(self) -> Compiled:
        return lowered(self.rules)

    @cached_property
    def _engine(self) -> Engine:
        return Engine(self._compiled.form, solver=self._solver)

    def _among_others(self, scores: F32) -> F32:
        """Return scores of all that is decided: nothing speaks for or against the rest."""
        whole = np.zeros((len(scores), self._compiled.scores), np.float32)
        whole[:, self._compiled.decisions[self._number].place] = scores
        return whole

    def _with_others(self, tests: Outcomes, scores: F32, raw: I64) -> Repaired:
        given, rows = self._compiled.given_of(tests), np.arange(len(scores))
        tried = [self._tried(given, c) for c in range(scores.shape[1])]
        lost, status, engine = (
            np.array([getattr(t, name) for t, _ in tried]).T for name in ("costs", "status", "tool")
        )
        values = np.array([answers for _, answers in tried])  # (classes, n, decided)
        every = np.arange(scores.shape[1])
        allowed = (lost >= 0) & (every == values[:, :, self._number].T)
        values[:, :, self._number] = every[:, None]
        repaired, labels = _lessened(np.arange(len(scores)), allowed, lost, scores)
        broken = self.rules.broken_by(tests, values[raw, rows])
        left = self.rules.broken_by(tests, values[np.where(labels < 0, raw, labels), rows])
        # What was not found out about other classes counts too: one of them could have been the answer.
        worst = status.max(1)
        settled = np.where(broken.any(1), OPTIMAL, ALLOWED)
        open_ = (worst > OPTIMAL) & (worst < NONE)
        told = np.where(open_, worst, np.where(labels < 0, NONE, settled)).astype(np.uint8)
        return Repaired(repaired, allowed, raw, labels, told, engine.max(1), broken, left)

    def _tried(self, given: Bools, label: int) -> tuple[Decided, I64]:
        """Return what the rest comes to where the class is `label`, and all that is decided then."""
        compiled, classes = self._compiled, len(self.rules.classes)
        wanted = np.zeros((len(given), classes), np.float32)
        wanted[:, label] = 1
        predicted, costs = compiled.asked_of(given, self._among_others(wanted))
        first = compiled.form.given + compiled.decisions[self._number].start
        costs[:, first : first + classes] = FURTHEST
        found = self._engine(predicted, costs)
        return found, compiled.answers(found.values)


class _Learned(NamedTuple):
    """What is known of the distinct rows of outcomes seen so far; none of it is changed again.

    Attributes:
        known: the keys of the rows, sorted.
        row: int64 (rows,), where what is known of each key stands in what follows.
        allowed: bool (rows, classes), which classes break no hard rule.
        lost: int64 (rows, classes), what the soft rules that a class breaks cost, in 1 / SCALE nats.
        breaks: bool (rows, classes), whether a class breaks any rule.
        broken: bool (rows, classes, rules), which rules a class breaks.
    """

    known: npt.NDArray[np.generic]
    row: I64
    allowed: Bools
    lost: I64
    breaks: Bools
    broken: Bools


class _Table:
    """What the rules say of each class, for each distinct row of outcomes so far; threads may share it."""

    def __init__(self, rules: RuleSet, soft: dict[int, int]) -> None:
        self._rules = rules
        self._soft = np.array([soft.get(i, 0) for i in range(len(rules.rules))], np.int64)
        self._hard = self._soft == 0
        tests = len(self._rules.tests)
        self._powers = 3 ** np.arange(min(tests, _DIGITS), dtype=np.int64)
        self._words = max(1, -(-tests // _DIGITS))
        self._lock, self._learned = threading.Lock(), self._nothing()

    def of(self, tests: Outcomes) -> tuple[I64, _Learned]:
        """Return the row of each record, int64 (n,), in what is known, which holds them all."""
        keys = self._keys(tests)
        learned = self._learned  # as it stands: another thread may put a larger one in its place at any time
        place = np.searchsorted(learned.known, keys)
        missing = place == len(learned.known)
        missing[~missing] = learned.known[place[~missing]] != keys[~missing]
        if missing.any():
            with self._lock:
                learned = self._learned = self._with(self._learned, tests, keys)
            place = np.searchsorted(learned.known, keys)
        return learned.row[place], learned

    def _nothing(self) -> _Learned:
        classes, rules = len(self._rules.classes), len(self._rules.rules)
        return _Learned(
            known=np.empty(0, np.int64 if self._words == 1 else np.dtype((np.void, 8 * self._words))),
            row=np.empty(0, np.int64),
            allowed=np.empty((0, classes), np.bool_),
            lost=np.empty((0, classes), np.int64),
            breaks=np.empty((0, classes), np.bool_),
            broken=np.empty((0, classes, rules), np.bool_),
        )

    def _keys(self, tests: Outcomes) -> npt.NDArray[np.generic]:
        """Return one sortable key a record: its outcomes as digits of base three."""
        words = np.empty((len(tests), self._words), np.int64)
        for w in range(self._words):
            part = tests[:, w * _DIGITS : (w + 1) * _DIGITS]
            words[:, w] = part @ self._powers[: part.shape[1]]
        return words[:, 0] if self._words == 1 else words.view(np.dtype((np.void, 8 * self._words)))[:, 0]

    def _with(self, learned: _Learned, tests: Outcomes, keys: npt.NDArray[np.generic]) -> _Learned:
        """Return what is known with the rows of `tests` beside it."""
        if learned.broken.size > _MOST_KEPT:
            learned = self._nothing()
        _, first = np.unique(keys, return_index=True)
        first = first[~np.isin(keys[first], learned.known)]
        classes, rules = len(self._rules.classes), len(self._rules.rules)
        step = max(1, _AT_ONCE // max(1, classes * rules))
        found = [self._asked(tests[first[at : at + step]]) for at in range(0, len(first), step)]
        broken = np.concatenate([learned.broken, *found])
        known = np.concatenate([learned.known, keys[first]])
        row = np.concatenate([learned.row, np.arange(len(learned.row), len(broken))])
        order = np.argsort(known, kind="stable")
        return _Learned(
            known=known[order],
            row=row[order],
            allowed=np.asarray(~broken[:, :, self._hard].any(2), np.bool_),
            lost=np.asarray(broken @ self._soft, np.int64),
            breaks=np.asarray(broken.any(2), np.bool_),
            broken=broken,
        )

    def _asked(self, tests: Outcomes) -> Bools:
        classes = len(self._rules.classes)
        labels = np.tile(np.arange(classes), len(tests))
        return self._rules.broken_by(np.repeat(tests, classes, 0), labels).reshape(len(tests), classes, -1)


def _lessened(told: I64, allowed: Bools, lost: I64, scores: F32) -> tuple[F32, I64]:
    """Return the scores under the rules, and the best class, int64 (n,), -1 where none is allowed.

    Args:
        told: int64 (n,), the row of each record in what follows.
        allowed: bool (rows, classes).
        lost: int64 (rows, classes), or (0, 0) where no rule is soft.
        scores: float32 (n, classes).
    """
    repaired, labels = np.empty(scores.shape, np.float32), np.empty(len(scores), np.int64)
    best_allowed(told, allowed, lost, float(SCALE), scores, repaired, labels)
    return repaired, labels
