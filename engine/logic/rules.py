"""The constraint guard: rules over facts and classes, enforced exactly on every answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from ..allowance import allowed, batch_seconds
from ..errors import RuleError, SolverError
from ..fields import choice, hidden, packs, rules
from ..guard import Showing
from ..node import Family, Node, Penalty, Predictor, ShapeError, Specs, wired
from ..ports import F32, F64, I64, Array, Arrays, Column, Port, Spec
from .language import parse
from .matching import matched, pack_keys, titles_of
from .packs import pack_of
from .pipeline import STATUS
from .repair import ENGINES, Repair
from .rules_showing import RulesShowing
from .ruleset import RuleSet
from .semantic import SemanticLoss
from .several import Several

STATUS_SPEC = Spec("facts", (2,), columns=(Column("status", STATUS), Column("engine", ENGINES)))
ONE, MANY = "class", "labels"
DECIDES = {ONE: "One class", MANY: "Several labels"}


@dataclass(frozen=True)
class Rules(Node):
    """Lets no answer through that breaks a rule: the most probable one that breaks none takes its place.

    One class: scores'[c] = scores[c] where (facts, c) breaks no rule, else -inf, so softmax(scores') is the
    exact distribution conditioned on the rules; argmax is the most probable class allowed. A soft rule that c
    breaks takes its weight from scores'[c]. Several labels: a label holds where its score is above 0; the
    labels that keep the rules and cost least, in the magnitudes of the scores that change their sign and the
    weights of soft rules that are broken, give the scores their signs. Where the rules leave no answer, or
    none was found in time, all scores are -inf.

    A rule is broken where it is definitely false in Kleene's three-valued logic: what a gap leaves open never
    breaks one.

    Attributes:
        rules: the rules, in the rule language; none allow everything.
        decides: whether the scores are of one class, or each of a label of its own.
        packs: keys of shipped domain packs whose rules count too, separated by commas. Their variables are
            the columns and classes of the same name; what the data does not have is a gap.
        carried: (key, file) of each pack as a model file holds it. It counts in place of the shipped one,
            which may have changed since.
        batch_seconds: how long hard records of one batch may take together; what is left is answered by what
            is found at once, marked as not proven to be the cheapest.
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
        Port("scores", ("scores",), "The scores under the rules, -inf where a class is forbidden"),
        Port("broken", ("facts",), "One column a rule: 1 where the raw answer broke it"),
        Port("left", ("facts",), "One column a rule: 1 where the guarded answer breaks it still"),
        Port("status", ("facts",), "What is known of the answer, and the engine that gave it"),
    )

    corrects: ClassVar[str] = "scores"

    rules: str = rules("", "Rules over facts and classes: rule NAME: if ... then class = ...")
    decides: str = choice(
        ONE, DECIDES, "Whether one class is the answer, or each score is a label of its own"
    )
    packs: str = packs("", "Domain packs whose rules count too: their keys, separated by commas")
    carried: tuple[tuple[str, str], ...] = hidden(())
    batch_seconds: float = batch_seconds()

    def rule_set(self, *inputs: Spec | None) -> RuleSet:
        """Return the rules bound to what arrives at the node.

        Raises:
            RuleError: a rule cannot be read or names something that is not there.
            SolverError: the parser is not installed.
        """
        scores, facts, labels = wired(inputs[:1])[0], *inputs[1:]
        return _rule_set(self, _classes(scores, labels), facts.columns if facts else ())

    def specs(self, *inputs: Spec | None) -> Specs:
        (scores,) = wired(inputs[:1])
        _check_classes(scores, inputs[2])
        if inputs[2] and inputs[2].several and self.decides == ONE:
            words = "The data has several labels a record; this guard decides one class."
            raise ShapeError(words, do=f"Set Decides to {DECIDES[MANY]}.", parameter="decides")
        if inputs[2] and inputs[2].several and scores.several is False:
            words = "The data has several labels a record; what gives the scores decides one class."
            raise ShapeError(words, do="Let a layer give them.", port="scores")
        try:
            rule_set = self.rule_set(*inputs)
        except (RuleError, SolverError) as error:
            head = f"{error.where}: {error.what}" if error.where else error.what
            raise ShapeError(head, do=error.do, parameter="rules") from None
        flags = Spec("facts", (len(rule_set.rules),), columns=tuple(map(Column, rule_set.names)))
        classes = _classes(scores, inputs[2])
        several = self.decides == MANY
        return Spec("scores", scores.shape, classes=classes, several=several), flags, flags, STATUS_SPEC

    def warnings(self, *inputs: Spec | None) -> tuple[str, ...]:
        return self.rule_set(*inputs).notes

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        rule_set = self.rule_set(*inputs)
        guard = _one_class(Repair(rule_set)) if self.decides == ONE else _labels(Several(rule_set))

        def predict(scores: F32, facts: F64 | None, labels: I64 | None) -> tuple[Array, ...]:
            given = np.zeros((len(scores), 0), np.float64) if facts is None else facts
            with allowed(guard, self.batch_seconds):
                return guard(scores, given)

        return predict

    def penalty(self, *inputs: Spec | None) -> Penalty | None:
        rules, scores = self.rule_set(*inputs), wired(inputs[:1])[0]
        # What packs decide beside the scores cannot be learned from them.
        alone = sum(len(v.names) if v.kind == "category" else 1 for v in rules.vocabulary.decided)
        return SemanticLoss(rules) if rules.rules and alone == scores.elements else None

    def showing(self, *inputs: Spec | None) -> Showing:
        found, scores, labels = self.rule_set(*inputs), wired(inputs[:1])[0], inputs[2]
        theirs = titles_of(found.names[len(parse(self.rules)) :], pack_keys(self.packs), dict(self.carried))
        return RulesShowing(found, _classes(scores, labels), self.predictor({}, *inputs), theirs)

    def texts(self) -> Mapping[str, str]:
        carried = dict(self.carried)
        return {key: pack_of(key, carried).written for key in pack_keys(self.packs)}

    def rows(self) -> tuple[tuple[str, str], ...]:
        packs = pack_keys(self.packs)
        return (
            ("Rules", _count(self.rules)),
            ("Packs", ", ".join(packs)) if packs else ("Decides", DECIDES[self.decides]),
        )


@lru_cache(maxsize=64)
def _count(text: str) -> str:
    try:
        return str(len(parse(text)))
    except (RuleError, SolverError):
        return "cannot be read"


def _one_class(repair: Repair) -> Callable[[F32, F64], tuple[Array, ...]]:
    def guard(scores: F32, facts: F64) -> tuple[Array, ...]:
        done = repair(scores, facts)
        how = np.stack([done.status, done.engine], axis=1)
        return done.scores, *_floats(done.broken, done.left, how)

    return guard


def _labels(several: Several) -> Callable[[F32, F64], tuple[Array, ...]]:
    def guard(scores: F32, facts: F64) -> tuple[Array, ...]:
        rest = several.compiled.scores - scores.shape[1]  # what packs decide beside the labels
        whole = np.concatenate([scores, np.zeros((len(scores), rest), np.float32)], axis=1)
        done = several(whole, facts)
        said = several.scores(whole, done)[:, : scores.shape[1]]
        how = np.stack([done.status, done.decided.tool], axis=1)
        return said, *_floats(done.broken, done.left, how)

    return guard


def _floats(*arrays: Array) -> tuple[F64, ...]:
    return tuple(array.astype(np.float64) for array in arrays)


def _rule_set(node: Rules, classes: tuple[str, ...], columns: tuple[Column, ...]) -> RuleSet:
    keys = pack_keys(node.packs)
    found = _bound(node.rules, classes, columns, keys, node.carried, several=node.decides == MANY)
    if isinstance(found, RuleSet):
        return found
    raise found.with_traceback(None)


@lru_cache(maxsize=64)
def _bound(
    text: str,
    classes: tuple[str, ...],
    columns: tuple[Column, ...],
    packs: tuple[str, ...],
    carried: tuple[tuple[str, str], ...],
    *,
    several: bool,
) -> RuleSet | RuleError | SolverError:
    """Return the rules, or why there are none, so that a text with a slip is not read again."""
    try:
        return matched(text, classes, columns, packs, several=several, carried=dict(carried))
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
