"""Exact repair of everything that is decided: the most probable values that break no rule.

Flags, categories, integers and binned numbers are repaired together by the pipeline: the answer keeps every
hard rule and costs least, where changing a value costs what it loses in log probability and breaking a soft
rule its weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import inf

import numpy as np

from ..errors import RuleError
from ..guard import Agreement
from ..ports import F32, F64, I64
from .lowering import Compiled, lowered
from .pipeline import U8, UNKNOWN, Decided, Engine
from .ruleset import RuleSet
from .semantic import Conditioned, Conditioning
from .solver import Solver
from .truth import Bools, Outcomes


@dataclass(frozen=True)
class Settled:
    """n repaired answers.

    Attributes:
        raw: int64 (n, decided), the number of the value that the scores give each decided variable.
        values: int64 (n, decided), the same after repair; as `raw` where no answer is allowed or was found.
        decided: values, costs in 1 / SCALE nats, status and engine, over the variables of the normal form.
        broken: bool (n, rules), which rules the raw answer breaks.
        left: bool (n, rules), which rules the answer still breaks: the raw answer's where there is no other,
            soft ones elsewhere.
    """

    raw: I64
    values: I64
    decided: Decided
    broken: Bools
    left: Bools

    @property
    def status(self) -> U8:
        """Return the status of each record, uint8 (n,), a place in STATUS."""
        return self.decided.status

    @property
    def answered(self) -> Bools:
        """Return which records have an answer, bool (n,)."""
        return np.asarray(self.decided.status < UNKNOWN)

    def words(self, record: int) -> tuple[str, str, str]:
        """Return the status of a record, the engine that gave it, and why that is so."""
        return self.decided.words(record)


class Several:
    """Repairs the answers of one rule set.

    Args:
        rules: the rules.
        solver: which process to ask as a last resort; the shared one if left out.
    """

    def __init__(self, rules: RuleSet, solver: Solver | None = None) -> None:
        self.rules = rules
        self.compiled: Compiled = lowered(rules)
        self.engine = Engine(self.compiled.form, solver=solver)

    def __call__(self, scores: F32, facts: F64, within: float = inf) -> Settled:
        """Repair the answers of n records; a record's result does not depend on the others.

        Args:
            scores: float32 (n, compiled.scores), logits: one of a flag, which is yes above 0, one for every
                value of anything else.
            facts: float64 (n, columns), NaN for a gap.
            within: seconds for all records in the solver process, as the engine takes it.

        Raises:
            SolverError: the solver process is needed and not available.
        """
        tests = self.rules.outcomes(facts)
        asked = self.asked(tests, scores)
        decided = self.engine(*asked, within)
        raw, values = self.compiled.answers(asked[0]), self.compiled.answers(decided.values)
        broken = self.rules.broken_by(tests, raw)
        return Settled(raw, values, decided, broken, self.rules.broken_by(tests, values))

    def asked(self, tests: Outcomes, scores: F32) -> tuple[Bools, I64]:
        """Return what n records predict and what changes cost, for the engine.

        Args:
            tests: int8 (n, tests), the outcomes of the rules' tests.
            scores: float32 (n, compiled.scores), logits.
        """
        return self.compiled.asked_of(self.compiled.given_of(tests), scores)

    def scores(self, scores: F32, settled: Settled) -> F32:
        """Return scores that say what the answers do, float32 as `scores`; a row of -inf where there is none.

        The score of a flag keeps its magnitude and has the sign of the answer; a value that scored more than
        the one that was chosen in its place gets -inf.
        """
        out = scores.astype(np.float32)
        for i, decision in enumerate(self.compiled.decisions):
            those = out[:, decision.place]
            value = settled.values[:, i]
            if decision.values:
                chosen = np.take_along_axis(those, value[:, None], 1)
                at = np.arange(decision.width)
                ahead = (those > chosen) | ((those == chosen) & (at < value[:, None]))
                those[ahead] = -np.inf
            else:
                size = np.maximum(np.abs(those), np.finfo(np.float32).tiny)
                those[:] = np.where(value[:, None] > 0, size, np.where(those > 0, -size, those))
        out[~settled.answered] = -np.inf
        return out

    def agreement(self, scores: F32, facts: F64, settled: Settled, sample: int, seed: int = 0) -> Agreement:
        """Return how often RC2, asked for the whole of a record, finds the same cost.

        Args:
            scores: float32 (n, compiled.scores), as they were repaired.
            facts: float64 (n, columns).
            settled: what they were repaired to.
            sample: how many records to solve once more.
            seed: chooses them.

        Raises:
            SolverError: the solver process is not available.
        """
        count = min(sample, len(scores))
        rows = np.sort(np.random.default_rng(seed).choice(len(scores), count, replace=False))
        predicted, costs = self.compiled.asked(facts[rows], scores[rows])
        done = settled.decided
        part = Decided(
            done.values[rows], done.costs[rows], done.bounds[rows], done.status[rows], done.tool[rows]
        )
        return self.engine.agreement(predicted, costs, part, count)

    def beliefs(self, scores: F32, tests: Outcomes) -> Conditioned | None:
        """Return probabilities given the rules; None where the rules hang together too closely for that.

        Args:
            scores: float32 (n, compiled.scores), logits.
            tests: int8 (n, tests), the outcomes of the rules' tests.
        """
        return self._conditioning.of(tests, scores) if self._conditioning else None

    # Inside

    @cached_property
    def _conditioning(self) -> Conditioning | None:
        try:
            return Conditioning(self.rules)
        except RuleError:
            return None
