"""What the rules say of one record: each rule's truth, and the answer before and after them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.editor.marks import Truth
from engine.errors import PolybitError
from engine.logic.explain import Explained, explain
from engine.logic.repair import Repair
from engine.logic.ruleset import RuleSet
from engine.logic.truth import truth
from engine.ports import F32, F64

UNDECIDED = -1


@dataclass(frozen=True)
class Judged:
    """One record under the rules.

    Attributes:
        label: the answer that is judged, UNDECIDED for none.
        truths: of every rule, in order.
        raw, fixed: probabilities of the classes before and after the rules, float64 (classes,); None without
            a model.
        explained: what became of the answer, None without a model.
        failed: why the answer could not be repaired, or "".
    """

    label: int
    truths: tuple[Truth, ...]
    raw: F64 | None = None
    fixed: F64 | None = None
    explained: Explained | None = None
    failed: str = ""


def judge(rules: RuleSet, facts: F64, scores: F32 | None, wanted: str, labelled: int) -> Judged:
    """Return what `rules` say of one record.

    Args:
        rules: the rules.
        facts: float64 (columns,), NaN for a gap.
        scores: float32 (classes,), raw scores; None without a model.
        wanted: which answer is judged: `labelled`, `raw`, `fixed`, `none`, or a class name after `class:`.
        labelled: the class the data gives the record, -1 for none.
    """
    raw = int(np.argmax(scores)) if scores is not None else UNDECIDED
    fixed, after, explained, failed = raw, None, None, ""
    if scores is not None:
        try:
            repaired = Repair(rules)(scores[None], facts[None])
            fixed, after = int(repaired.labels[0]), repaired.scores[0]
            explained = explain(rules, facts, raw, fixed)
        except PolybitError as error:
            failed = str(error)
    label = _label(rules, wanted, {"labelled": labelled, "raw": raw, "fixed": fixed})
    return Judged(
        label=label,
        truths=truths(rules, facts, label),
        raw=_probabilities(scores),
        fixed=_probabilities(after),
        explained=explained,
        failed=failed,
    )


def truths(rules: RuleSet, facts: F64, label: int) -> tuple[Truth, ...]:
    """Return the truth of every rule for one record with an answer; UNDECIDED leaves the answer open."""
    tests, labels = rules.outcomes(facts[None]), np.array([label])
    found = (truth(rule.bound, tests, labels) for rule in rules.rules)
    return tuple("true" if t.yes[0] else "false" if t.no[0] else "unknown" for t in found)


def _label(rules: RuleSet, wanted: str, known: dict[str, int]) -> int:
    if wanted.startswith("class:"):
        name = wanted.removeprefix("class:")
        return rules.classes.index(name) if name in rules.classes else UNDECIDED
    return known.get(wanted, UNDECIDED)


def _probabilities(scores: F32 | None) -> F64 | None:
    if scores is None:
        return None
    top = scores.max()
    if not np.isfinite(top):
        return np.zeros(len(scores), np.float64)
    shares = np.exp(scores.astype(np.float64) - top)
    return np.asarray(shares / shares.sum(), np.float64)
