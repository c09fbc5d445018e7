"""What is known of a text of rules: read, bound and examined, in a thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from app.editor.marks import Mark
from app.panels.rules_editor import place_in
from app.theme.figures import plural
from engine.errors import RuleError, SolverError
from engine.graph import Graph
from engine.logic.rules import Rules
from engine.logic.ruleset import RuleSet


@dataclass(frozen=True)
class Finding:
    """One line of the list of checks.

    Attributes:
        level: `error`, `warning` or `ok`.
        what: a sentence.
        do: what to do about it, or "".
        line, column: where in the text, from 1; 0 for nowhere.
    """

    level: str
    what: str
    do: str = ""
    line: int = 0
    column: int = 0


@dataclass(frozen=True)
class Checked:
    """What is known of one text.

    Attributes:
        text: the text.
        rules: the rules, None where they cannot be read.
        summary: one sentence, and its `level`.
        findings: what to say about it, worst first.
        marks: what stands in the margin, by line.
        done: whether the examination came to its end.
    """

    text: str
    rules: RuleSet | None
    summary: str
    level: str
    findings: tuple[Finding, ...] = ()
    marks: dict[int, Mark] = field(default_factory=dict)

    @property
    def error(self) -> Finding | None:
        """Return what keeps the text from being read."""
        return next((f for f in self.findings if f.level == "error" and self.rules is None), None)


def check(graph: Graph, name: str, text: str, stopped: Callable[[], bool]) -> Checked:
    """Return what is known of `text` as the rules of a node.

    Args:
        graph: the graph.
        name: the node.
        text: its rules as typed.
        stopped: whether nobody waits for the answer any more.
    """
    node = graph.node(name)
    if not isinstance(node, Rules):
        return Checked(text, None, "This node holds no rules.", "warning")
    try:
        rules = type(node)(**{**node.values(), "rules": text}).rule_set(*graph.input_specs(name))
    except (RuleError, SolverError) as error:
        line, column = place_in(error.where)
        finding = Finding("error", error.what, error.do, line, column)
        return Checked(text, None, error.what, "error", (finding,))
    return examined(text, rules, stopped)


def examined(text: str, rules: RuleSet, stopped: Callable[[], bool]) -> Checked:
    """Return what is known of rules that can be read."""
    notes = tuple(Finding("warning", note, "", *place_in(note)) for note in rules.notes)
    if not rules.rules:
        return Checked(text, rules, "There are no rules: every answer is allowed.", "warning", notes)
    return Checked(text, rules, f"{plural(len(rules.rules), 'rule')}.", "ok", notes)
