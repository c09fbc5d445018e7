"""The shipped packs, each checked by what is generated from it: nothing here knows what a pack is about."""

from dataclasses import replace
from functools import cache
from urllib.parse import urlsplit

import numpy as np
import pytest

from engine.errors import RuleError
from engine.logic.checking import check_rules
from engine.logic.formula import Happens, Not, ValueIn, parts_of
from engine.logic.language import parse
from engine.logic.lowering import lowered
from engine.logic.pack import Sample
from engine.logic.packs import combined, pack_of, packs
from engine.logic.pipeline import NONE, Engine
from engine.logic.printing import print_rules
from engine.logic.ruleset import RuleSet
from engine.logic.sequences.examine import examined
from engine.logic.trials import drawn, facts_of, judged, orders_of, parted, tried, values_of
from engine.logic.vocabulary import number_of, yes_or_no

KEYS = tuple(packs())
PLAIN = tuple(key for key in KEYS if pack_of(key).vocabulary.decided)
ORDERED = tuple(key for key in KEYS if pack_of(key).vocabulary.sequences)
STAMPED = tuple(key for key in ORDERED if any(sample.stamps for sample in pack_of(key).samples))


def bound(key):
    pack = pack_of(key)
    return RuleSet.over(pack.text, pack.vocabulary)


def computes(key):
    """Whether a rule computes with several facts."""
    return any(len(test.columns) > 1 for test in bound(key).tests)


def test_there_are_packs_of_every_domain_asked_for():
    domains = {pack.domain for pack in packs().values()}
    assert len(KEYS) >= 20
    assert domains >= {
        "medical",
        "payments",
        "manufacturing",
        "contracts",
        "code",
        "logistics",
        "energy",
        "building",
        "food safety",
        "lab data",
        "calendars",
        "games",
        "identity documents",
        "traffic",
        "sports",
        "aviation",
    }


@pytest.mark.parametrize("key", KEYS)
def test_every_rule_has_a_name_a_reason_and_a_source(key):
    pack = pack_of(key)
    assert 8 <= len(pack.statements) <= 40
    for statement in pack.statements:
        assert statement.name
        assert statement.reason
        assert pack.source_of(statement), statement.name
    named = {pack.source_of(statement).id for statement in pack.statements}
    assert named == {source.id for source in pack.sources}
    assert all(urlsplit(s.url).scheme == "https" and s.title and s.licence for s in pack.sources)


@pytest.mark.parametrize("key", KEYS)
def test_it_says_how_far_it_was_compared_with_its_sources(key):
    pack = pack_of(key)
    names = {statement.name for statement in pack.statements}
    for source in pack.sources:
        assert set(source.unconfirmed) <= names
        assert bool(source.checked) == bool(source.compared), source.id
        assert source.checked >= "2026-11-26" or not source.checked
    assert pack.compared == sum(
        bool(pack.source_of(s).checked) and s.name not in pack.source_of(s).unconfirmed
        for s in pack.statements
    )


def test_no_rule_is_left_that_was_not_compared_with_its_source():
    left = [
        f"{pack.key}: {s.name}" for pack in packs().values() for s in pack.statements if not pack.confirmed(s)
    ]
    assert left == []
    assert sum(pack.compared for pack in packs().values()) == sum(len(p.statements) for p in packs().values())


@pytest.mark.parametrize("key", KEYS)
def test_the_text_of_its_rules_round_trips(key):
    statements = pack_of(key).statements
    assert parse(print_rules(statements)) == statements


@pytest.mark.parametrize("key", KEYS)
def test_it_says_what_it_is(key):
    pack = pack_of(key)
    assert pack.key == key
    assert pack.title
    assert pack.about
    assert pack.date
    assert pack.jurisdiction
    assert all(variable.text for variable in pack.vocabulary.variables)


@pytest.mark.parametrize("key", KEYS)
def test_some_rule_speaks_of_every_variable(key):
    rules = bound(key)
    columns = {column for test in rules.tests for column in test.columns}
    assert columns == set(range(len(rules.vocabulary.given)))
    decided, sequences, look = set(), set(), [rule.bound for rule in rules.rules]
    while look:
        here = look.pop()
        if isinstance(here, ValueIn):
            decided.add(here.variable)
        elif isinstance(here, Happens):
            sequences.add(here.sequence)
        look.extend(parts_of(here))
    assert decided == set(range(len(rules.vocabulary.decided)))
    assert sequences == set(range(len(rules.vocabulary.sequences)))


@pytest.mark.parametrize("key", KEYS)
def test_its_samples_break_what_they_say(key):
    pack = pack_of(key)
    assert len(pack.samples) >= 5
    assert any(sample.breaks for sample in pack.samples)
    assert any(sample.keeps for sample in pack.samples)
    for sample, broken in zip(pack.samples, judged(pack), strict=True):
        assert set(broken) == set(sample.breaks), sample.name
        given = {v.name for v in pack.vocabulary.variables if v.given}
        decided = {v.name for v in pack.vocabulary.variables if not v.given}
        assert (set(sample.facts), set(sample.answer)) == (given, decided), sample.name


def in_time(key):
    """Return the rules of a pack that count time and not steps."""
    return [order.names[i] for order in orders_of(bound(key)) for i in order.engine.timed.numbers]


def test_some_packs_have_rules_in_time():
    assert [key for key in ORDERED if in_time(key)] == [key for key in ORDERED if key in STAMPED]
    assert {"surgical-safety", "aircraft-departure", "parcel-tracking"} <= set(STAMPED)
    assert any(sample.places for key in STAMPED for sample in pack_of(key).samples)


@pytest.mark.parametrize("key", STAMPED)
def test_for_every_rule_in_time_the_stamps_of_one_sample_keep_it_and_those_of_another_break_it(key):
    pack = pack_of(key)
    stamped = [sample for sample in pack.samples if sample.stamps]
    bare = replace(pack, samples=tuple(replace(sample, stamps={}, places={}) for sample in stamped))
    pairs = list(zip(judged(replace(pack, samples=tuple(stamped))), judged(bare), strict=True))
    assert any(sample.keeps for sample in stamped)
    for rule in in_time(key):
        assert any(rule in broken and rule not in without for broken, without in pairs), rule
        assert any(rule not in broken for broken, _ in pairs), rule


@cache
def told(key):
    """Return what a check says of the rules of a pack that are about no sequence."""
    pack, (rules, _) = pack_of(key), parted(bound(key))
    text = print_rules(tuple(s for s in pack.statements if s.name in rules.names))
    return check_rules(text, pack.vocabulary, 60.0)


@pytest.mark.parametrize("key", PLAIN)
def test_its_rules_can_be_kept_and_none_is_to_spare(key):
    rules, _ = parted(bound(key))
    found = told(key)
    assert found.finished
    assert found.satisfiable
    assert [f.what for f in found.findings if f.severity != "note"] == []
    assert {rule.name: rule.status for rule in found.rules} == dict.fromkeys(rules.names, "needed")


@pytest.mark.parametrize("key", [key for key in PLAIN if not computes(key)])
def test_the_example_of_every_rule_breaks_it_and_no_other(key):
    pack = pack_of(key)
    rules, _ = parted(bound(key))
    hard = np.array([rule.weight is None for rule in rules.rules])
    for number, status in enumerate(told(key).rules):
        example = status.example
        assert example is not None, status.name
        sample = Sample("", *(valued(pack, part) for part in (example.facts, example.answer)))
        facts, values = facts_of(pack.vocabulary, [sample]), values_of(pack.vocabulary, [sample])
        broken = rules.broken(facts, values)[0]
        assert broken[number], status.name
        assert not (broken & hard)[np.arange(len(hard)) != number].any(), status.name


def valued(pack, texts):
    """Return texts of values as the values of a sample; what is no value of its variable is left out."""
    found = {}
    for variable in pack.vocabulary.variables:
        text = texts.get(variable.name, "")
        if variable.kind == "flag":
            found[variable.name] = yes_or_no(text)
        elif variable.kind == "category":
            found[variable.name] = text if text in variable.values else None
        else:
            number = number_of(text)
            found[variable.name] = None if number is None else float(number) if variable.given else text
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize("key", [key for key in PLAIN if computes(key)])
def test_every_rule_with_formulas_has_a_record_that_breaks_it_and_no_other(key):
    # The check knows nothing of what a formula can come to: whether there are such numbers is tried here.
    pack, (rules, _) = pack_of(key), parted(bound(key))
    rng = np.random.default_rng(5)
    there = facts_of(pack.vocabulary, pack.samples)
    facts = there[rng.integers(0, len(there), 2000)]
    facts = np.where(rng.random(facts.shape) < 0.2, drawn(rules.vocabulary, len(facts), rng, gaps=0), facts)
    for rule in rules.rules:
        others = tuple(r for r in rules.rules if r.weight is None and r is not rule)
        kept = replace(rules, rules=others)
        compiled = lowered(kept, (Not(rule.bound),))
        found = Engine(compiled.form)(*compiled.asked(facts, np.zeros((len(facts), compiled.scores))))
        answers = compiled.answers(found.values)
        alone = replace(rules, rules=(rule,)).broken(facts, answers)[:, 0]
        alone &= ~kept.broken(facts, answers).any(1) & (found.status != NONE)
        assert alone.any(), rule.name


@pytest.mark.parametrize("key", ORDERED)
def test_its_orders_can_be_kept_and_every_rule_has_a_sequence_that_breaks_it_alone(key):
    rules = bound(key)
    for order in orders_of(rules):
        found = examined(order.engine.automata, order.engine.weights, 1 << 20)
        assert found.satisfiable
        # Speeds and gaps ask nothing where no stamp is known: samples with stamps break them, see above.
        idle = tuple(i for i in order.engine.timed.numbers if order.engine.automata[i].accepts.all())
        assert found.open == found.impossible == ()
        assert found.redundant == idle
        for rule, events in found.witnesses:
            broken = np.array([not automaton.holds(list(events)) for automaton in order.engine.automata])
            assert broken[rule], order.names[rule]
            assert not (broken & order.hard)[np.arange(len(broken)) != rule].any(), order.names[rule]
        assert len(found.witnesses) == len(order.names) - len(idle)


@pytest.mark.parametrize("key", KEYS)
def test_no_rule_is_broken_after_repair(key):
    found = tried(bound(key), 300, seed=1)
    assert found.records == 300
    assert found.broken_before > 0
    assert found.broken_after == 0
    assert found.changed > 0


@pytest.mark.parametrize("key", KEYS)
def test_it_combines_with_any_other_or_says_why_not(key):
    one = pack_of(key)
    for other in KEYS[KEYS.index(key) + 1 :]:
        two = pack_of(other)
        shared = {v.name for v in one.vocabulary.variables} & {v.name for v in two.vocabulary.variables}
        try:
            both = combined([one, two])
        except RuleError as error:
            message = error.what
        else:
            assert len(both.statements) == len(one.statements) + len(two.statements)
            assert all(both.source_of(statement) for statement in both.statements)
            continue
        assert any(repr(name) in message for name in shared)


def test_packs_that_share_a_variable_are_bound_together():
    both = combined([pack_of("card-fraud"), pack_of("strong-authentication")])
    rules = RuleSet.over(both.text, both.vocabulary)
    assert [v.name for v in both.vocabulary.given].count("amount") == 1
    assert tried(rules, 300).broken_after == 0
