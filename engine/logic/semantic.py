"""What scores and rules say together: exact probabilities given the rules, and the semantic loss.

A category's value has the probability that softmax gives its score, a flag the logistic function of its
own, all independent of each other. The rules then allow some answers: their probability together is the
compliance, minus its logarithm the semantic loss (Xu et al. 2018, A Semantic Loss Function for Deep
Learning with Symbolic Knowledge, arXiv:1711.11157), and the probability of a value among them what it is
given the rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import RuleError
from ..node import Penalty
from ..ports import F32, F64, Array
from .gates import exact
from .lowering import SCALE, Compiled, lowered, soft_costs
from .marginals import Beliefs
from .normal import Bools
from .ruleset import RuleSet
from .truth import Outcomes

Floats = npt.NDArray[np.floating[Any]]

WIDEST = 4_000  # states of one layer of a diagram that every training step sweeps
MOST_ANSWERS = 4_096  # that are gone through one by one where no diagram is this narrow
_MOST_KEPT = 1 << 14  # rows of outcomes whose answers are remembered


@dataclass(frozen=True)
class Conditioned:
    """n records under the rules.

    Attributes:
        compliance: float64 (n,), the probability that the answer keeps the rules; a soft rule that it breaks
            counts as kept with probability exp(-weight).
        before: float64 (n, scores), the probability of every value by the scores alone.
        after: float64 (n, scores), the same given the rules; as before where they cannot be kept.
    """

    compliance: F64
    before: F64
    after: F64


class Conditioning:
    """Conditions scores on one rule set.

    Args:
        rules: the rules.

    Raises:
        RuleError: the rules hang together too closely for a diagram, and there are too many answers.
    """

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self._decided = rules.vocabulary.decided
        widths = [1 if v.kind == "flag" else len(v.names) for v in self._decided]
        ends = np.cumsum([0, *widths]).tolist()
        self._places = [slice(a, b) for a, b in pairwise(ends)]
        answers = prod(len(v.names) for v in self._decided)
        self._engine: _Diagrams | _Answers
        try:
            self._engine = _Diagrams(rules)
        except RuleError:
            if answers > MOST_ANSWERS:
                raise
            self._engine = _Answers(rules, self._places)

    def __call__(self, facts: F64, scores: Floats) -> Conditioned:
        """Return probabilities given the rules.

        Args:
            facts: float64 (n, columns), NaN for a gap.
            scores: (n, scores), logits: one a value of a category, one a flag, in their order.
        """
        return self.of(self._rules.outcomes(facts), scores)

    def of(self, tests: Outcomes, scores: Floats) -> Conditioned:
        """Return the same for facts whose outcomes are known already, int8 (n, tests)."""
        before = np.empty(scores.shape)
        for variable, place in zip(self._decided, self._places, strict=True):
            those = scores[:, place].astype(np.float64)
            if variable.kind == "flag":
                before[:, place] = 0.5 * (1.0 + np.tanh(0.5 * those))
            else:
                raised = np.exp(those - those.max(1, keepdims=True))
                before[:, place] = raised / raised.sum(1, keepdims=True)
        compliance, after = self._engine(tests, before)
        return Conditioned(np.minimum(compliance, 1.0), before, after)

    def loss(self, facts: F64, scores: Floats) -> tuple[F64, F64, Conditioned]:
        """Return the semantic loss in nats, float64 (n,), and its gradient in the scores, (n, scores).

        Where the rules cannot be kept, whatever the answer, both are 0: there is nothing to learn.
        """
        found = self(facts, scores)
        possible = found.compliance > 0
        loss = -np.log(np.where(possible, found.compliance, 1.0))
        return loss, np.where(possible[:, None], found.before - found.after, 0.0), found

    def broken(self, facts: F64, scores: Floats) -> Bools:
        """Return for which records the likeliest answer breaks a hard rule, bool (n,)."""
        values = np.empty((len(scores), len(self._decided)), np.int64)
        for i, (variable, place) in enumerate(zip(self._decided, self._places, strict=True)):
            those = scores[:, place]
            values[:, i] = those[:, 0] > 0 if variable.kind == "flag" else those.argmax(1)
        hard = np.array([rule.weight is None for rule in self._rules.rules], np.bool_)
        return np.asarray(self._rules.broken(facts, values)[:, hard].any(1))


class _Diagrams:
    """Sums over the diagrams of the rules."""

    def __init__(self, rules: RuleSet) -> None:
        self._compiled: Compiled = lowered(rules)
        self._beliefs = Beliefs(exact(self._compiled.form, self._compiled.helpers), WIDEST)

    def __call__(self, tests: Outcomes, before: F64) -> tuple[F64, F64]:
        compiled, form = self._compiled, self._beliefs.form
        chances = np.ones((len(before), len(form.variables)))
        against = np.ones_like(chances)  # as it stays for helpers, and for values: exactly one is true
        given = compiled.given_of(tests)
        chances[:, : form.given], against[:, : form.given] = given, ~given
        for variable in compiled.kept.values():
            broken = np.exp(-form.costs[variable] / SCALE)
            chances[:, variable], against[:, variable] = 1.0 - broken, broken
        decided = slice(form.given, form.given + compiled.scores)
        chances[:, decided] = before
        for decision in compiled.decisions:
            if not decision.values:
                place = form.given + decision.start
                against[:, place] = 1.0 - chances[:, place]
        found = self._beliefs(chances, against)
        return found.compliance, found.marginals[:, decided]


class _Answers:
    """Sums over every answer, remembering which are allowed for outcomes of tests that were seen before."""

    def __init__(self, rules: RuleSet, places: list[slice]) -> None:
        self._rules, self._places = rules, places
        self._costs = soft_costs(rules.rules)
        decided = rules.vocabulary.decided
        self._values = np.array(list(product(*(range(len(v.names)) for v in decided))), np.int64)
        self._true = np.zeros((len(self._values), places[-1].stop), np.bool_)
        self._flags = np.zeros(places[-1].stop, np.bool_)
        for variable, place, value in zip(decided, places, self._values.T, strict=True):
            if variable.kind == "flag":
                self._true[:, place.start], self._flags[place.start] = value == 1, True
            else:
                self._true[np.arange(len(value)), place.start + value] = True
        self._known: dict[bytes, F64] = {}

    def __call__(self, tests: Outcomes, before: F64) -> tuple[F64, F64]:
        chances = np.array([self._allowed(row) for row in tests]).reshape(len(before), len(self._values))
        for i, true in enumerate(self._true.T):
            p = before[:, i : i + 1]
            chances *= np.where(true, p, 1.0 - p if self._flags[i] else 1.0)
        compliance = chances.sum(1)
        possible = compliance[:, None] > 0
        after = (chances @ self._true) / np.where(possible, compliance[:, None], 1.0)
        return compliance, np.where(possible, after, before)

    def _allowed(self, tests: Outcomes) -> F64:
        """Return what every answer weighs by the rules: 0 where a hard one is broken."""
        key = tests.tobytes()
        if key not in self._known:
            broken = self._rules.broken_by(np.tile(tests, (len(self._values), 1)), self._values)
            weight = np.ones(len(self._values))
            for i in range(broken.shape[1]):
                kept = np.exp(-self._costs[i] / SCALE) if i in self._costs else 0.0
                weight *= np.where(broken[:, i], kept, 1.0)
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            self._known[key] = weight
        return self._known[key]


class SemanticLoss(Penalty):
    """The semantic loss of scores under a rule set, given the facts of each record, as a term of a training.

    Args:
        rules: the rules; the scores are the logits of what they decide, in its order.
    """

    def __init__(self, rules: RuleSet) -> None:
        self._conditioning, self._columns = Conditioning(rules), len(rules.columns)
        self._last: tuple[F64, F64, F64] | None = None

    def __call__(self, *inputs: Array | None) -> tuple[F64, F32]:
        scores, facts = inputs[0], inputs[1]
        if scores is None:
            raise ValueError("there are no scores")
        known = np.zeros((len(scores), self._columns)) if facts is None else facts
        loss, grad, found = self._conditioning.loss(known, scores)
        self._last = known.copy(), scores.copy(), found.compliance  # training reuses its buffers
        return loss, (grad / len(scores)).astype(np.float32)

    def figures(self) -> dict[str, float]:
        """Return `kept`, the mean compliance, and `broken`, the share of likeliest answers against a rule."""
        if self._last is None:
            return {}
        facts, scores, compliance = self._last
        broken = self._conditioning.broken(facts, scores)
        return {"kept": float(compliance.mean()), "broken": float(broken.mean())}
