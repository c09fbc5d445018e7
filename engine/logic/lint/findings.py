"""What checking a rule set gives: findings with a place and a sentence, and the state of every rule."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]
Kind = Literal[
    "text",  # the text cannot be read
    "conflict",  # rules that cannot all be kept
    "no answer",  # facts under which rules that can be kept together leave no answer
    "facts alone",  # rules that no answer can mend
    "dead",  # something that no answer may ever be
    "forced",  # something that every answer must be
    "always",  # a rule that holds whatever the record
    "implied",  # a rule that follows from others
    "same",  # two rules that say the same
    "never applies",  # a rule whose condition never holds
    "gap",  # a rule that follows from others but where a fact is missing
    "equal",  # two variables that are always equal
    "soft conflict",  # soft rules that cannot all be kept
    "open",  # what was not found out in time
]
Status = Literal["needed", "implied", "same", "never applies", "always", "conflict", "unknown"]


@dataclass(frozen=True)
class Finding:
    """One thing that somebody who writes rules may want to know.

    Attributes:
        kind: what sort of thing.
        severity: an error makes the rules useless, a warning is most likely a mistake, a note is neither.
        rule: the name of the rule it is about, or "".
        line: the line it stands on, from 1; 0 where it has no place.
        column: the column, from 1; 0 where it has none.
        what: a sentence that says what is so.
        do: a sentence that says what to do, or "".
        others: the other rules it has to do with.
        facts: a record that it happens to, by column, as text; `missing` for a gap.
    """

    kind: Kind
    severity: Severity
    rule: str
    line: int
    column: int
    what: str
    do: str = ""
    others: tuple[str, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Example:
    """A record, with an answer.

    Attributes:
        facts: the value of each column that the rules speak of, as text; `missing` for a gap.
        answer: the value of each decided variable, as text.
        words: both in one line.
    """

    facts: dict[str, str]
    answer: dict[str, str]
    words: str


@dataclass(frozen=True)
class RuleStatus:
    """What is known of one rule.

    Attributes:
        name: its name.
        line: where it begins, from 1.
        column: where it begins, from 1.
        status: `needed` where some record breaks it and no other hard rule; `unknown` where nothing was found
            out (in time, or because the rules conflict).
        example: such a record, or None.
    """

    name: str
    line: int
    column: int
    status: Status
    example: Example | None = None


@dataclass(frozen=True)
class Checked:
    """A checked rule text.

    Attributes:
        findings: the worst first, then by place.
        rules: the state of every rule, in the order of the text; () where it cannot be read.
        notes: sentences about names and values that binding the rules gave.
        satisfiable: whether all hard rules can be kept at once; None where that is not known.
        finished: whether everything was asked.
        seconds: what the solver process took.
    """

    findings: tuple[Finding, ...] = ()
    rules: tuple[RuleStatus, ...] = ()
    notes: tuple[str, ...] = ()
    satisfiable: bool | None = None
    finished: bool = False
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the same as dictionaries and lists."""
        findings = [{**vars(each), "others": list(each.others)} for each in self.findings]
        rules = [{**vars(r), "example": r.example and vars(r.example)} for r in self.rules]
        return {**vars(self), "findings": findings, "rules": rules, "notes": list(self.notes)}

    @classmethod
    def of_json(cls, told: dict[str, Any]) -> Checked:
        """Return what `as_json` gave."""
        findings = (Finding(**{**f, "others": tuple(f["others"])}) for f in told["findings"])
        rules = (
            RuleStatus(**{**r, "example": Example(**r["example"]) if r["example"] else None})
            for r in told["rules"]
        )
        return cls(
            tuple(findings),
            tuple(rules),
            tuple(told["notes"]),
            told["satisfiable"],
            told["finished"],
            told["seconds"],
        )
