"""What became of one record under the rules, as values and in a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from ..guard import BrokenRule
from .pipeline import ALLOWED, NONE, STATUS, UNKNOWN
from .ruleset import RuleSet
from .wording import listed


@dataclass(frozen=True)
class Change:
    """A decided variable whose value the rules changed.

    Attributes:
        name: its name.
        said: the value before.
        now: the value after.
        cost: what that costs in nats: how much less likely the value is by the scores, as a logarithm.
        because: the rules that changing it back would break.
    """

    name: str
    said: str
    now: str
    cost: float
    because: tuple[str, ...] = ()


@dataclass(frozen=True)
class Alternative:
    """The cheapest allowed answer after the best one.

    Attributes:
        changes: how it differs from the answer, `said` being the answer's value and `cost` 0.
        cost: what it costs in nats, as the answer's cost is counted.
        odds: how likely it is beside the answer: exp(answer's cost - cost).
    """

    changes: tuple[Change, ...]
    cost: float
    odds: float


@dataclass(frozen=True)
class Account:
    """What became of one record.

    Attributes:
        status, engine, how: the status, the engine that gave it, and why that is so.
        raw, answer: the value of each decided variable by name, before and after the rules.
        broken: the rules that the raw answer broke, with the facts that fired them.
        left: names of the rules that the answer breaks still: soft ones, or the raw answer's without another.
        changes: what was changed, the dearest first.
        cost: what all that costs in nats.
        alternative: the second best answer, None where there is no other or it was not found in time.
        rules, labels: a minimal reason: these rules and these values of the raw answer (`fever = yes`) cannot
            stand together for these facts, and none of them can be left out; () where no hard rule is broken.
        why: the reason in a sentence.
        compliance: the probability by the scores alone that the rules are kept; None where it is not known.
        confidence: given the rules, the probability of each value of each decided variable, by its name, in
            the order of its values (a flag: no, yes); empty where it is not known.
    """

    status: str
    engine: str
    how: str
    raw: dict[str, str]
    answer: dict[str, str]
    broken: tuple[BrokenRule, ...]
    left: tuple[str, ...]
    changes: tuple[Change, ...]
    cost: float
    alternative: Alternative | None
    rules: tuple[str, ...]
    labels: tuple[str, ...]
    why: str
    compliance: float | None
    confidence: dict[str, tuple[float, ...]]


def in_a_sentence(
    rules: RuleSet,
    status: str,
    broken: tuple[BrokenRule, ...],
    changes: tuple[Change, ...],
    reason: tuple[str, ...],
    labels: tuple[str, ...],
) -> str:
    """Return why an answer is what it is.

    Args:
        rules: the rules.
        status: a word of STATUS.
        broken: the rules that the raw answer broke.
        changes: what was changed.
        reason: names of rules that cannot stand together with `labels`.
        labels: values of the raw answer.
    """
    if status == STATUS[ALLOWED]:
        return "The answer breaks no rule and stands."
    if status == STATUS[UNKNOWN]:
        return "Whether the rules leave an answer was not found out in time."
    told = {rule.name: rule.reason or rule.words for rule in rules.rules}
    because = f" ({told[reason[0]]})" if len(reason) == 1 else ""
    if status == STATUS[NONE]:
        named = f"{listed(reason)}{because}" if reason and not labels else "the rules"
        together = "cannot be kept" if len(reason) == 1 and not labels else "cannot all be kept"
        return f"No answer is left: {named} {together} for these facts."
    now = listed(tuple(f"{c.name} is {c.now} instead of {c.said}" for c in changes))
    if reason:
        verb = "rules" if len(reason) == 1 else "rule"
        out = f"{listed(reason)}{because} {verb} out {listed(labels)}{' together' * (len(labels) > 1)}"
        return f"{out}; {now}."  # a rule's name keeps its letters
    soft = listed(tuple(rule.name for rule in broken))
    weights = {rule.name: rule.weight for rule in rules.rules}
    if not changes:
        return f"The answer stands, though it breaks {soft}: any other costs more."
    # Where a hard rule is broken there is a reason, but it was not found out.
    hard = any(weights[rule.name] is None for rule in broken)
    return f"{_capital(now)}: {'the raw answer breaks' if hard else 'that costs less than breaking'} {soft}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
