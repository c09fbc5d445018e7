"""What the constraint guard shows of its answers: classes or labels with their probabilities, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np

from ..guard import Agreement, Bars, Case, Guarded, GuardRule, Showing, Tally, alike, per_record
from ..node import Predictor
from ..ports import F32, F64, Array
from .explain import explain
from .pipeline import NONE, STATUS, UNKNOWN
from .repair import ENGINES, Repair
from .ruleset import RuleSet
from .several import Several
from .whatif import WhatIf

_SCORES, _FACTS = range(2)  # input ports


class RulesShowing(Showing):
    """Shows answers of one class, or of several labels.

    Args:
        rules: the rules.
        names: of the classes or labels.
        predict: what guards.
        packs: the title of the domain pack that a rule comes from, by the rule's name.
    """

    verified: bool = True

    def __init__(
        self, rules: RuleSet, names: tuple[str, ...], predict: Predictor, packs: Mapping[str, str]
    ) -> None:
        self._rules, self._names, self._predict = rules, names, predict
        self.rules = tuple(GuardRule(r.name, r.words, packs.get(r.name, "")) for r in rules.rules)
        self.columns = rules.columns

    def tally(self, seen: Guarded) -> Tally:
        return per_record(seen)

    def used(self) -> frozenset[int]:
        return frozenset(column for test in self._rules.tests for column in test.columns)

    def facts(self, case: Case) -> F64:
        return np.asarray(self._rules.padded(_facts(case.given))[0], np.float64)

    def cases(self, seen: Guarded) -> tuple[Case, ...]:
        facts, raw, after = self._rules.padded(_facts(seen.inputs)), _scores(seen.inputs), _out(seen)
        told = self._of_class if self._rules.classes else self._of_labels
        return tuple(
            replace(
                told(facts[i], raw[i], after[i]),
                given=seen.take(np.array([i])).inputs,
                engine=ENGINES[int(seen.outputs["status"][i, 1])],
                record=i,
            )
            for i in range(len(raw))
        )

    def again(self, case: Case, facts: F64, pins: Mapping[str, str]) -> Case:
        scores, _, *rest = case.given
        inputs = (scores, facts[None], *rest)
        given = self._predict(*inputs)
        seen = Guarded(inputs, dict(zip(("scores", "broken", "left", "status"), given, strict=True)))
        return alike(self.cases(seen)[0], case)

    def agreement(self, seen: Guarded) -> Agreement:
        scores, facts = _scores(seen.inputs), _facts(seen.inputs)
        if self._rules.classes:
            repair = Repair(self._rules)
            return repair.agreement(scores, facts, repair(scores, facts), len(scores))
        several = Several(self._rules)
        whole, padded = self._whole(scores), self._rules.padded(facts)
        return several.agreement(whole, padded, several(whole, padded), len(scores))

    # Inside

    def _of_class(self, facts: F64, raw: F32, after: F32) -> Case:
        said = int(raw.argmax())
        label = -1 if np.isneginf(after).all() else int(after.argmax())
        told = explain(self._rules, facts, said, label, after)
        shares = _shares(after)
        forbidden = frozenset(np.flatnonzero(np.isneginf(after)).tolist())
        note = _alternative(self._names, after, shares)
        picture = Bars(self._names, _shares(raw), shares, forbidden, note)
        left = tuple(n for n in _broken(self._rules, facts, label))
        return Case(told.said, told.fixed, told.status, told.why, told.broken, left, picture)

    def _of_labels(self, facts: F64, raw: F32, after: F32) -> Case:
        told = self._what_if(facts, self._whole(raw[None])[0])
        answered = told.status not in (STATUS[UNKNOWN], STATUS[NONE])
        fixed = _held(told.answer) if answered else STATUS[NONE]
        forbidden = frozenset(np.flatnonzero(np.isneginf(after)).tolist())
        picture = Bars(self._names, _chances(raw), _chances(after), forbidden)
        return Case(_held(told.raw), fixed, told.status, told.why, told.broken, told.left, picture)

    @cached_property
    def _what_if(self) -> WhatIf:
        return WhatIf(self._rules)

    def _whole(self, scores: F32) -> F32:
        """Return scores, (n, labels), with 0 for what only packs decide beside the labels."""
        rest = self._what_if.several.compiled.scores - scores.shape[1]
        return np.concatenate([scores, np.zeros((len(scores), rest), np.float32)], axis=1)


def _scores(inputs: tuple[Array | None, ...]) -> F32:
    return np.asarray(inputs[_SCORES], np.float32)


def _facts(inputs: tuple[Array | None, ...]) -> F64:
    facts = inputs[_FACTS]
    return np.zeros((len(_scores(inputs)), 0)) if facts is None else np.asarray(facts, np.float64)


def _out(seen: Guarded) -> F32:
    return np.asarray(seen.outputs["scores"], np.float32)


def _broken(rules: RuleSet, facts: F64, label: int) -> tuple[str, ...]:
    """Return names of the rules that a class breaks."""
    if label < 0:
        return ()
    answer = np.full((1, len(rules.vocabulary.decided)), -1, np.int64)
    answer[:, rules.vocabulary.decided_numbers["class"]] = label
    hits = rules.broken(facts[None], answer)[0]
    return tuple(name for name, hit in zip(rules.names, hits, strict=True) if hit)


def _held(answer: Mapping[str, str]) -> str:
    """Return an answer in a line: flags that hold by their names, other values with theirs."""
    held = [name if said == "yes" else f"{name} = {said}" for name, said in answer.items() if said != "no"]
    return ", ".join(held) or "no label"


def _shares(scores: F32) -> F64:
    """Return the probabilities of classes by their scores, all 0 where every class is ruled out."""
    top = scores.max(initial=-np.inf)
    if not np.isfinite(top):
        return np.zeros(len(scores), np.float64)
    weights = np.exp(scores.astype(np.float64) - top)
    return np.asarray(weights / weights.sum(), np.float64)


def _chances(scores: F32) -> F64:
    """Return the probability of each of several labels by its score, 0 where it is -inf."""
    known = scores.astype(np.float64)
    return np.asarray(np.exp(np.minimum(known, 0)) / (1 + np.exp(-np.abs(known))), np.float64)


def _alternative(names: tuple[str, ...], scores: F32, shares: F64) -> str:
    """Return in a sentence what the cheapest other answer would have been."""
    allowed = np.flatnonzero(np.isfinite(scores))
    best = sorted(allowed.tolist(), key=lambda i: -scores[i])
    if len(best) < 2:
        return "No other answer keeps the rules." if best else "No answer keeps the rules."
    dearer = float(scores[best[0]] - scores[best[1]])
    chance = 100 * float(shares[best[1]])
    said = "<0.1 %" if 0 < chance < 0.1 else f"{chance:.1f} %"
    return f"Cheapest alternative: {names[best[1]]}, {said}, {dearer:.2f} nats dearer."
