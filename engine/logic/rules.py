"""The constraint guard: rules over facts and classes, enforced exactly on every answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from ..errors import RuleError, SolverError
from ..fields import rules
from ..node import Family, Node, Penalty, Predictor, ShapeError, Specs, wired
from ..ports import F32, F64, I64, Array, Arrays, Column, Port, Spec
from .language import parse
from .repair import Repair
from .ruleset import RuleSet
from .semantic import SemanticLoss

SOLVER_TITLE = "python-sat"


@dataclass(frozen=True)
class Rules(Node):
    """Gives every class that a rule forbids the score -inf: argmax is then the most probable class allowed.

    scores'[c] = scores[c] where (facts, c) breaks no rule, else -inf, so softmax(scores') is the exact
    distribution conditioned on the rules. A rule is broken where it is definitely false in Kleene's
    three-valued logic: what a gap leaves open never breaks one. Which classes are allowed is found by
    satisfiability in the solver process, once for every distinct outcome of the rules' tests.

    Attributes:
        rules: the rules, in the rule language; none allow everything.
    """

    kind: ClassVar[str] = "logic.rules"
    title: ClassVar[str] = "Constraint guard"
    family: ClassVar[Family] = "logic"
    icon: ClassVar[str] = "ph.shield-check"
    order: ClassVar[int] = 10
    summary: ClassVar[str] = "Rules that no answer may break: the likeliest that breaks none takes its place"
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("scores", ("scores",), "The scores to guard"),
        Port("facts", ("facts",), "The columns that rules speak of", required=False),
        Port("labels", ("labels",), "Names the classes where the scores do not", required=False),
    )
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("scores", ("scores",), "The scores, -inf where a class is forbidden"),
        Port("broken", ("facts",), "One column a rule: 1 where the raw answer broke it"),
        Port("left", ("facts",), "One column a rule: 1 where the guarded answer breaks it still"),
    )

    corrects: ClassVar[str] = "scores"

    rules: str = rules("", "Rules over facts and classes: rule NAME: if ... then class = ...")

    def rule_set(self, *inputs: Spec | None) -> RuleSet:
        """Return the rules bound to what arrives at the node.

        Raises:
            RuleError: a rule cannot be read or names something that is not there.
            SolverError: the parser is not installed.
        """
        scores, facts, labels = wired(inputs[:1])[0], *inputs[1:]
        return _rule_set(self.rules, _classes(scores, labels), facts.columns if facts else ())

    def specs(self, *inputs: Spec | None) -> Specs:
        (scores,) = wired(inputs[:1])
        _check_classes(scores, inputs[2])
        try:
            rule_set = self.rule_set(*inputs)
        except (RuleError, SolverError) as error:
            head = f"{error.where}: {error.what}" if error.where else error.what
            raise ShapeError(head, do=error.do, parameter="rules") from None
        flags = Spec("facts", (len(rule_set.rules),), columns=tuple(map(Column, rule_set.names)))
        return Spec("scores", scores.shape, classes=rule_set.classes), flags, flags

    def warnings(self, *inputs: Spec | None) -> tuple[str, ...]:
        return self.rule_set(*inputs).notes

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        repair = Repair(self.rule_set(*inputs))

        def predict(scores: F32, facts: F64 | None, labels: I64 | None) -> tuple[Array, ...]:
            done = repair(scores, _or_none(facts, len(scores)))
            return done.scores, done.broken.astype(np.float64), done.left.astype(np.float64)

        return predict

    def penalty(self, *inputs: Spec | None) -> Penalty | None:
        rules = self.rule_set(*inputs)
        return SemanticLoss(rules) if rules.rules else None

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Rules", _count(self.rules)), ("Solver", SOLVER_TITLE))


@lru_cache(maxsize=64)
def _count(text: str) -> str:
    try:
        return str(len(parse(text)))
    except (RuleError, SolverError):
        return "cannot be read"


def _or_none(facts: F64 | None, n: int) -> F64:
    return np.zeros((n, 0), np.float64) if facts is None else facts


def _rule_set(text: str, classes: tuple[str, ...], columns: tuple[Column, ...]) -> RuleSet:
    found = _bound(text, classes, columns)
    if isinstance(found, RuleSet):
        return found
    raise found.with_traceback(None)


@lru_cache(maxsize=64)
def _bound(
    text: str, classes: tuple[str, ...], columns: tuple[Column, ...]
) -> RuleSet | RuleError | SolverError:
    """Return the rules, or why there are none, so that a text with a slip is not read again."""
    try:
        return RuleSet.of(text, classes, columns)
    except (RuleError, SolverError) as error:
        return error


def _classes(scores: Spec, labels: Spec | None) -> tuple[str, ...]:
    named = scores.classes or (labels.classes if labels else ())
    return named or tuple(str(i) for i in range(scores.elements))


def _check_classes(scores: Spec, labels: Spec | None) -> None:
    if len(scores.shape) != 1 or scores.elements < 1:
        raise ShapeError(f"Scores must be one row of classes; got {scores.words()}.", port="scores")
    if labels and labels.classes and len(labels.classes) != scores.elements:
        words = f"The labels name {len(labels.classes)} classes; the scores have {scores.elements}."
        raise ShapeError(words, do="Give the layer before as many outputs.", port="labels")
    if labels and labels.classes and scores.classes and labels.classes != scores.classes:
        words = "The labels and the scores name different classes."
        raise ShapeError(words, do="Wire both from one source.", port="labels")
