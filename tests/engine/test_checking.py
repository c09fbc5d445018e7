"""logic/checking.py and lint/ on texts: every finding against brute force, with a memory and without."""

import itertools
import random
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysat.solvers import Solver as Sat
from random_rules import CLASSES, COLUMNS, random_formula

from engine.logic.checking import Checked, check_rules
from engine.logic.formula import Happens, IfThen, Implies, Statement, parts_of, with_parts
from engine.logic.lint.memory import Memory
from engine.logic.lint.text import TextExamination
from engine.logic.printing import print_rules
from engine.logic.ruleset import RuleSet
from engine.logic.sequences.examine import examined as sequences_examined
from engine.logic.sequences.rule import Call, automaton_for
from engine.logic.solver import Solver
from engine.logic.truth import truth
from engine.logic.vocabulary import Variable, Vocabulary

DATA = Vocabulary.of(CLASSES, COLUMNS)
X = (-2.0, -1.0, 0.0, 2.5, 2.7, 3.0, 5.0, 7.0, 8.0, np.nan)
FACTS = np.array(list(itertools.product((0.0, 1.0, 2.0, np.nan), (0.0, 1.0, np.nan), X)))


@pytest.fixture(scope="module")
def solver():
    made = Solver()
    yield made
    made.close()


def checked_of(text, vocabulary=DATA, memory=None, origins=None):
    solvers = []

    def make(clauses):
        solvers.append(Sat(name="glucose4", bootstrap_with=clauses))
        return solvers[-1]

    examination = TextExamination(text, vocabulary, origins or {}, memory or Memory(), make)
    while not examination.run(60.0):
        pass
    checked = examination.checked()
    for each in solvers:
        each.delete()
    return checked


def random_text(rng, rules):
    statements = [Statement(f"r{i}", random_formula(rng, rng.randint(1, 2))) for i in range(rules)]
    return print_rules(tuple(statements))


class Brute:
    """All records that the rules of a text can tell apart, with every class."""

    def __init__(self, text):
        self.rules = RuleSet.over(text, DATA)
        self.facts = np.repeat(FACTS, len(CLASSES), axis=0)
        self.labels = np.tile(np.arange(len(CLASSES)), len(FACTS))
        self.broken = self.rules.broken(self.facts, self.labels)
        self.whole = ~np.isnan(self.facts).any(1)
        self.kept = self.whole & ~self.broken.any(1)

    def alone(self, rule, rows):
        return (self.broken[rows].sum(1) == 1) & self.broken[rows, rule]

    def idle(self, rule):
        """Whether the condition of a rule never holds where the others are kept; None: it has none."""
        match self.rules.rules[rule].bound:
            case IfThen(condition, _, None) | Implies(condition, _):
                others = ~np.delete(self.broken, rule, axis=1).any(1)
                holds = truth(condition, self.rules.outcomes(self.facts), self.labels).yes
                return not (holds & others).any()
        return None


def status_of(brute, rule):
    if brute.alone(rule, brute.whole).any():
        return "needed"
    if brute.idle(rule):
        return "never applies"
    if brute.alone(rule, slice(None)).any():
        return "needed"
    return "implied" if brute.broken[brute.whole, rule].any() else "always"


def check_text(text, checked):
    brute = Brute(text)
    assert checked.finished
    assert checked.satisfiable == brute.kept.any()
    names = list(brute.rules.names)
    if not checked.satisfiable:
        check_conflicts(brute, names, checked)
        return
    for i, rule in enumerate(checked.rules):
        status = "implied" if rule.status == "same" else rule.status
        assert status == status_of(brute, i), (text, rule)
        if rule.example:
            facts, label = row_of(rule.example)
            assert np.flatnonzero(brute.rules.broken(facts, label)[0]).tolist() == [i]
    never = {CLASSES[c] for c in range(3) if not brute.kept[brute.labels == c].any()}
    said = [f.what for f in checked.findings if f.kind in ("dead", "forced")]
    assert bool(said) == bool(never)
    for name in CLASSES:
        assert (name in never) == any(names_class(words, name) for words in said)
    with_gaps = {CLASSES[c] for c in range(3) if (~brute.broken.any(1) & (brute.labels == c)).any()}
    assert [KNOWN in words for words in said] == [bool(never & with_gaps)] * len(said)
    for finding in checked.findings:
        check_reasons(brute, names, finding)


KNOWN = " where no fact is missing"


def names_class(words, name):
    head = words.split(", by")[0].rstrip(".").removesuffix(KNOWN)
    if " in every answer" in head:
        return name != head.split(" is ")[1].split(" ")[0]
    return name in head.split(" is never ")[1].split(", ")


def check_reasons(brute, names, finding):
    if finding.kind in ("implied", "gap", "same"):
        others = [names.index(n) for n in finding.others]
        rule = names.index(finding.rule)
        rows = brute.broken[brute.whole]
        assert not (rows[:, rule] & ~rows[:, others].any(1)).any()
        if finding.kind != "same":
            for left in others:
                rest = [o for o in others if o != left]
                assert (rows[:, rule] & ~rows[:, rest].any(1)).any()


def check_conflicts(brute, names, checked):
    conflicts = [f for f in checked.findings if f.kind == "conflict"]
    assert conflicts
    for finding in conflicts:
        core = [names.index(n) for n in (*finding.others, finding.rule)]
        rows = brute.broken[brute.whole]
        assert rows[:, core].any(1).all()
        for left in core:
            assert not rows[:, [c for c in core if c != left]].any(1).all()


def row_of(example):
    facts = np.zeros((1, 3))
    for i, column in enumerate(COLUMNS):
        value = example.facts.get(column.name, column.categories[0] if column.categories else "0")
        number = column.categories.index(value) if value in column.categories else None
        facts[0, i] = np.nan if value == "missing" else (float(value) if number is None else number)
    return facts, np.array([CLASSES.index(example.answer["class"])])


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_findings_about_a_text_are_those_of_brute_force(seed):
    rng = random.Random(seed)  # noqa: S311
    text = random_text(rng, rng.randint(1, 5))
    check_text(text, checked_of(text))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_is_remembered_from_other_texts_changes_no_finding(seed):
    rng, memory = random.Random(seed), Memory()  # noqa: S311
    statements = [Statement(f"r{i}", random_formula(rng, rng.randint(1, 2))) for i in range(4)]
    for _ in range(6):
        text = print_rules(tuple(statements))
        check_text(text, checked_of(text, memory=memory))
        place = rng.randrange(len(statements))
        change = rng.random()
        if change < 0.2 and len(statements) > 2:
            del statements[place]
        elif change < 0.4:
            copied = statements[place].formula
            statements.append(Statement(f"s{rng.random()}"[:9].replace(".", "_"), copied))
        else:
            statements[place] = Statement(statements[place].name, random_formula(rng, rng.randint(1, 2)))


def test_a_conflict_names_the_packs_it_is_between(solver):
    text = "rule one: if size = low then class = a\nrule two: if size = low then class = b\n"
    text += "rule three: size = low\nrule four: if x > 3 then class = c"
    origins = {"one": "Transfusion", "two": "Intensive care"}
    (finding,) = check_rules(text, DATA, origins=origins, solver=solver).findings
    assert (finding.kind, finding.severity, finding.line) == ("conflict", "error", 3)
    assert finding.what == (
        "one (Transfusion), two (Intensive care) and three cannot all be kept."
        " They come from Intensive care and Transfusion."
    )


def test_what_several_variables_must_be_is_named_with_the_rules_that_make_it(solver):
    vocabulary = Vocabulary(
        (
            Variable("fever", given=True),
            Variable("age", "integer", given=True, least=0, most=120),
            Variable("test"),
            Variable("isolate"),
            Variable("dose", "integer", least=0, most=3),
        )
    )
    text = (
        "rule tested: if fever = yes then test = yes\nrule always: if fever = no then test = yes\n"
        "rule apart: test = yes iff isolate = yes\nrule lower: dose > 1\nrule old: if age > 200 then dose = 0"
    )
    checked = check_rules(text, vocabulary, solver=solver)
    said = {f.what for f in checked.findings}
    assert "test is yes in every answer where no fact is missing, by tested and always." in said
    assert "isolate is yes in every answer where no fact is missing, by tested, always and apart." in said
    assert "dose is never 0, 1, by lower." in said
    assert "The condition of old never holds, whatever the record." in said
    assert [r.status for r in checked.rules] == ["needed"] * 4 + ["never applies"]
    assert checked.rules[3].example.answer["dose"] in ("0", "1")


@pytest.mark.parametrize(
    ("text", "line", "column", "what"),
    [
        ("rule a: if size = low then class = a\nrule b: if sise = low then class = a", 2, 12, "sise"),
        ("rule a: class =", 1, 15, "ends in the middle"),
        ("rule a: class = a\nrule a: class = b", 2, 1, "Two rules are named"),
        ('rule a: class = "b', 1, 17, "does not end"),
    ],
)
def test_a_text_that_cannot_be_read_gives_one_finding_with_its_place(solver, text, line, column, what):
    checked = check_rules(text, DATA, 60.0, solver=solver)
    (finding,) = checked.findings
    assert checked.finished
    assert (finding.kind, finding.severity, finding.line, finding.column) == ("text", "error", line, column)
    assert what in finding.what


def test_an_answer_that_is_not_wanted_any_more_is_left(solver):
    asked = []

    def newer():
        asked.append(time.monotonic())
        return True

    assert check_rules("rule a: class = a", DATA, cancelled=newer, solver=solver) == Checked()
    assert len(asked) == 1


def test_no_rules_have_no_findings_after_others_had_some(solver):
    columns = Vocabulary.of(("a", "b"), COLUMNS)
    check_rules("rule r: class = a", columns, 20.0, solver=solver)
    checked = check_rules("", columns, 20.0, solver=solver)
    assert checked.finished
    assert checked.satisfiable
    assert not checked.rules


def test_a_rule_about_a_missing_fact_alone_is_no_mistake(solver):
    text = "rule gap: if x is missing then class = a\nrule high: if x > 3 then class = b"
    checked = check_rules(text, DATA, 60.0, solver=solver)
    assert checked.findings == ()
    assert [r.status for r in checked.rules] == ["needed", "needed"]
    assert checked.rules[0].example.facts["x"] == "missing"


def test_no_rules_have_no_findings(solver):
    checked = check_rules("", DATA, solver=solver)
    assert (checked.findings, checked.rules, checked.satisfiable) == ((), (), True)


def test_a_text_without_events_is_checked_without_the_compiler():
    code = (
        "import sys\n"
        "from engine.logic.lint.memory import Memory\n"
        "from engine.logic.lint.text import TextExamination\n"
        "from engine.logic.vocabulary import Vocabulary\n"
        "from engine.ports import Column\n"
        "from pysat.solvers import Solver\n"
        "vocabulary, memory = Vocabulary.of(('a', 'b'), (Column('x'),)), Memory()\n"
        "for limit in (1, 2):\n"
        "    text = f'rule r: if x > {limit} then class = a'\n"
        "    make = lambda clauses: Solver('glucose4', bootstrap_with=clauses)\n"
        "    one = TextExamination(text, vocabulary, {}, memory, make)\n"
        "    assert one.run(30.0) and one.checked().rules[0].status == 'needed'\n"
        "print('numba' in sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n", "numba takes longer to import than most texts to check"


def test_without_time_what_is_known_is_told(solver):
    rng = random.Random(3)  # noqa: S311
    text = random_text(rng, 60)
    checked = check_rules(text, DATA, 0.0, solver=solver)
    assert not checked.finished
    assert len(checked.rules) == 60
    assert {r.status for r in checked.rules} == {"unknown"}


def test_soft_rules_are_told_apart_from_hard_ones(solver):
    text = (
        "rule hard: if size = low then class = a\nrule first weight 2: class = b\n"
        "rule second weight 3: class = c\nrule third weight 1: if size = low then class in {a, b}"
    )
    checked = check_rules(text, DATA, 60.0, solver=solver)
    assert checked.satisfiable
    assert [(f.kind, f.rule, f.others) for f in checked.findings] == [
        ("implied", "third", ("hard",)),
        ("soft conflict", "second", ("first",)),
    ]


VISIT = ("admit", "test", "drug", "out")
CALLS = [
    "response(admit, out)",
    "precedence(test, drug)",
    "chain response(admit, test)",
    "absence(drug)",
    "existence(out, 1)",
    "not succession(out, drug)",
    "alternate response(drug, test)",
    "end(out)",
    "init(admit)",
    "succession(admit, out)",
]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_rules_over_events_are_examined_as_their_automata_are(seed):
    rng = random.Random(seed)  # noqa: S311
    vocabulary = Vocabulary((Variable("visit", "events", values=VISIT),))
    bodies = [
        rng.choice([c, c, f"not {c}", f"{c} or {d}"])
        for c, d in zip(rng.sample(CALLS, 4), CALLS, strict=False)
    ]
    text = "\n".join(f"rule r{i}: {body}" for i, body in enumerate(bodies))
    checked = checked_of(text, vocabulary)
    rules = RuleSet.over(text, vocabulary)
    automata = [automaton_for(body_of(rule.bound), VISIT) for rule in rules.rules]
    theirs = sequences_examined(automata, [None] * len(automata))
    assert checked.satisfiable == theirs.satisfiable
    if not theirs.satisfiable:
        return
    idle = [i for i, rule in enumerate(checked.rules) if rule.status in ("implied", "same", "always")]
    assert idle == list(theirs.redundant)
    for i, rule in enumerate(checked.rules):
        if i not in idle:
            said = rule.example.answer["visit"]
            events = [VISIT.index(e) for e in said.split(", ")] if said != "nothing" else []
            assert [a.holds(events) for a in automata] == [j != i for j in range(len(automata))]


def body_of(formula):
    match formula:
        case Happens(_, template, places, numbers):
            named = tuple(p if isinstance(p, int) else tuple(VISIT[e] for e in sorted(p)) for p in places)
            return Call(template, named, numbers)
    return with_parts(formula, tuple(map(body_of, parts_of(formula))))


def test_events_facts_and_flags_are_examined_together(solver):
    vocabulary = Vocabulary(
        (Variable("fever", given=True), Variable("visit", "events", values=VISIT), Variable("alarm"))
    )
    text = (
        "rule tested: if fever then response(admit, test)\nrule alarmed: if alarm then existence(drug, 1)\n"
        "rule same: if fever then not alarm or existence(drug, 1)\n"
        "rule never: if fever and not existence(admit, 1) and response(admit, test) then not alarm\n"
        "rule idle: if absence(admit) and existence(admit, 1) then alarm"
    )
    checked = check_rules(text, vocabulary, 60.0, solver=solver)
    assert [r.status for r in checked.rules] == ["needed", "needed", "implied", "needed", "never applies"]
    shown = checked.rules[0].example
    assert shown.facts == {"fever": "yes"}
    assert shown.answer["visit"].split(", ")[0] == "admit"


def test_examples_with_computed_numbers_break_their_rule_and_no_other(solver):
    vocabulary = Vocabulary(
        (
            Variable("dose", "number", given=True, least=0, most=500),
            Variable("weight", "number", given=True, least=2, most=200),
            Variable("alarm"),
            Variable("stop"),
        )
    )
    text = (
        "rule much: if dose / weight > 4 then alarm\nrule more: if dose / weight > 6 then stop\n"
        "rule top: if dose / weight > 8 then alarm\nrule light: if weight < 10 then alarm"
    )
    checked = check_rules(text, vocabulary, 60.0, solver=solver)
    assert [r.status for r in checked.rules] == ["needed", "needed", "implied", "needed"]
    assert [f.others for f in checked.findings if f.kind == "implied"] == [("much",)]
    rules = RuleSet.over(text, vocabulary)
    for i in (0, 1, 3):
        example = checked.rules[i].example
        facts = np.array([[float(example.facts.get("dose", 0)), float(example.facts.get("weight", 2))]])
        values = np.array([[example.answer[n] == "yes" for n in ("alarm", "stop")]], np.int64)
        assert np.flatnonzero(rules.broken(facts, values)[0]).tolist() == [i]
