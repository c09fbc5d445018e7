"""What is known of a text of rules: examined in the solver process, told in the editor's terms."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from app.editor.marks import Mark, State
from app.panels.rules_editor import RuleNode, place_in
from app.theme.figures import plural
from engine.errors import PolybitError, RuleError, SolverError
from engine.graph import Graph
from engine.logic.checking import Checked as Examined
from engine.logic.checking import Finding as Found
from engine.logic.checking import RuleStatus, check_rules
from engine.logic.language import parse
from engine.logic.packs import combined, pack_of
from engine.logic.ruleset import RuleSet
from engine.logic.vocabulary import Vocabulary
from engine.logic.wording import listed

UNWIRED = "Wire the scores, and the facts, to this node to have its rules checked."
_SECONDS = 12.0  # of the solver process, which newer text cuts short
_LEVELS = {"error": "error", "warning": "warning", "note": "ok"}
_STATES: dict[str, tuple[State, str]] = {
    "needed": ("kept", "needed: some record breaks it and nothing else"),
    "implied": ("redundant", "redundant: other rules say it already"),
    "same": ("redundant", "redundant: another rule says the same"),
    "always": ("vacuous", "vacuous: it holds whatever the record"),
    "never applies": ("vacuous", "vacuous: its condition never holds"),
    "conflict": ("conflicting", "conflicting: it cannot be kept together with others"),
    "unknown": ("open", "not decided"),
}
_FOUND: dict[str, State] = {"dead": "dead", "no answer": "conflicting"}
_WORST = ("conflicting", "dead", "vacuous", "redundant", "open", "kept")


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
class Example:
    """A record that breaks one rule and no other, or one that has no answer.

    Attributes:
        rule, line: the rule, and where it begins; of a record without an answer all that conflict.
        words: the record in a line.
        facts: values of columns, as text; `missing` for a gap.
        answer: values of what is decided, as text.
    """

    rule: str
    line: int
    words: str
    facts: Mapping[str, str]
    answer: Mapping[str, str]


@dataclass(frozen=True)
class Checked:
    """What is known of one text.

    Attributes:
        text: the text.
        readable: whether it could be read.
        summary: one sentence, and its `level`.
        findings: what to say about it, worst first.
        marks: what stands in the margin, by line.
        examples: for a rule a record that breaks it and no other.
        stranded: records without an answer, one for each set of rules that conflict with some facts.
        finished: whether everything was asked in time; marks of a text before stay where it was not.
    """

    text: str
    readable: bool
    summary: str
    level: str
    findings: tuple[Finding, ...] = ()
    marks: Mapping[int, Mark] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    stranded: tuple[Example, ...] = ()
    finished: bool = True

    @property
    def error(self) -> Finding | None:
        """Return what keeps the text from being read."""
        return next((f for f in self.findings if f.level == "error"), None) if not self.readable else None


def check(text: str, vocabulary: Vocabulary, keys: tuple[str, ...], stopped: Callable[[], bool]) -> Checked:
    """Return what is known of `text`; takes up to seconds and next to nothing of the interpreter.

    Args:
        text: the rules as typed.
        vocabulary: what they may speak of.
        keys: the domain packs whose rules count too.
        stopped: whether nobody waits for the answer any more.
    """
    try:
        told = check_rules(text, vocabulary, _SECONDS, cancelled=stopped)
        if keys and not any(found.kind == "text" for found in told.findings):
            told = _beside_packs(text, vocabulary, keys, stopped) or told
    except PolybitError as error:
        return Checked(text, True, f"Not examined. {error}", "warning", finished=False)
    findings = tuple(_finding(found) for found in told.findings)
    wrong = next((f for f in told.findings if f.kind == "text"), None)
    if wrong:
        return Checked(text, False, wrong.what, "error", findings)
    words, level = _summary(told, len(keys))
    if keys and told.rules:
        words = f"{words.removesuffix('.')} · beside {plural(len(keys), 'pack')}."
    examples = _examples(text, told)
    return Checked(text, True, words, level, findings, _marks(told), examples, _stranded(told), told.finished)


def _beside_packs(
    text: str, vocabulary: Vocabulary, keys: tuple[str, ...], stopped: Callable[[], bool]
) -> Examined | None:
    """Return what is known of `text` beside the rules of packs, of which only those of `text` have places."""
    chosen = [pack_of(key) for key in keys]
    pack = combined(chosen)
    known = {variable.name for variable in vocabulary.variables}
    others = tuple(v for v in pack.vocabulary.variables if v.name not in known)
    origins = {s.name: p.title for p in chosen for s in p.statements if s.name}
    whole = Vocabulary((*vocabulary.variables, *others))
    told = check_rules(f"{text}\n{pack.text}", whole, _SECONDS, cancelled=stopped, origins=origins)
    if any(found.kind == "text" for found in told.findings):
        return (
            None  # a rule of the packs has the name of one of these: they are told apart when they are bound
        )
    own = text.count("\n") + 1
    rules = {rule.name: rule for rule in told.rules if rule.line <= own}
    findings = []
    for found in told.findings:
        here = next((rules[name] for name in (found.rule, *found.others) if name in rules), None)
        if found.line <= own:
            findings.append(found)
        elif found.kind == "no answer" and here:
            findings.append(replace(found, line=here.line, column=here.column))
        elif found.kind in ("conflict", "no answer"):
            findings.append(replace(found, line=0, column=0))
    return replace(told, findings=tuple(findings), rules=tuple(rules.values()))


@dataclass(frozen=True)
class Bound:
    """Rules of a node, ready: those of its text come first, `own` of them, then those of its packs."""

    rules: RuleSet
    own: int


def bound(graph: Graph, name: str, text: str) -> Bound | Checked:
    """Return `text` as the rules of a node, or what is wrong with it; the graph finds both ready."""
    node = graph.node(name)
    if not isinstance(node, RuleNode):
        raise TypeError(f"{name} holds no rules")
    inputs = graph.input_specs(name)
    if not any(inputs[:1]):
        return Checked(text, True, UNWIRED, "warning", finished=False)
    made = type(node)(**{**node.values(), "rules": text})
    made.rows()  # both remember what they find, an error too
    try:
        return Bound(made.rule_set(*inputs), len(parse(text)))
    except (RuleError, SolverError) as error:
        wrong = Finding("error", error.what, error.do, *place_in(error.where))
        return Checked(text, False, error.what, "error", (wrong,))


def _finding(found: Found) -> Finding:
    return Finding(_LEVELS[found.severity], found.what, found.do, found.line, found.column)


def _marks(told: Examined) -> dict[int, Mark]:
    marks = {rule.line: _mark(rule) for rule in told.rules}
    lines = {rule.name: rule.line for rule in told.rules}
    for found in told.findings:
        stranded = found.kind == "no answer"
        for line in [found.line, *(lines.get(name, 0) for name in found.others if stranded)]:
            mark = marks.get(line)
            if not mark:
                continue
            state: State = _FOUND.get(found.kind, mark.state)
            words = mark.words if found.what in mark.words else f"{mark.words}\n{found.what}"
            marks[line] = Mark(min(state, mark.state, key=_WORST.index), words)
    return marks


def _mark(rule: RuleStatus) -> Mark:
    state, words = _STATES[rule.status]
    return Mark(state, f"{rule.name} is {words}.")


def _examples(text: str, told: Examined) -> tuple[Example, ...]:
    """Return the example of every rule that has one; its words hold what the rule speaks of."""
    lines = text.split("\n")
    ends = [rule.line - 1 for rule in told.rules[1:]] + [len(lines)] * bool(told.rules)
    found = []
    for rule, end in zip(told.rules, ends, strict=True):
        if rule.example:
            said = set(re.findall(r"[\w.+-]+", "\n".join(lines[rule.line - 1 : max(end, rule.line)])))
            every = {**rule.example.facts, **rule.example.answer}
            words = ", ".join(f"{name} = {value}" for name, value in every.items() if name in said)
            example = rule.example
            found.append(Example(rule.name, rule.line, words or example.words, example.facts, example.answer))
    return tuple(found)


def _stranded(told: Examined) -> tuple[Example, ...]:
    """Return a record without an answer for each set of rules that conflict with some facts."""
    return tuple(
        Example(
            listed((*found.others, found.rule)),
            found.line,
            ", ".join(f"{name} = {value}" for name, value in found.facts.items()),
            found.facts,
            {},
        )
        for found in told.findings
        if found.facts
    )


def _summary(told: Examined, packs: int) -> tuple[str, str]:
    count = len(told.rules)
    if not count and packs:
        words = "No rules beside those of"
        if told.satisfiable is False:
            return f"{words} {plural(packs, 'pack')}, which cannot all be kept.", "error"
        return f"{words} {plural(packs, 'pack')}.", "ok"
    if not count:
        return "There are no rules: every answer is allowed.", "warning"
    if told.satisfiable is False:
        return f"{plural(count, 'rule')} that cannot all be kept: no answer is allowed.", "error"
    sorts = {state: sum(_STATES[r.status][0] == state for r in told.rules) for state in _WORST}
    named = {"redundant": "redundant", "vacuous": "vacuous", "open": "not decided"}
    parts = [f"{sorts[state]} {word}" for state, word in named.items() if sorts[state]]
    words = plural(count, "rule")
    if told.satisfiable:
        stranded = any(found.kind == "no answer" for found in told.findings)
        words += "; they can be kept together" + (", but not with all facts" if stranded else "")
    level = "warning" if any(f.severity != "note" for f in told.findings) else "ok"
    return f"{' · '.join([words, *parts])}.", level
