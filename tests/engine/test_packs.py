"""The shipped packs: each is read, its rules name what is there, its sources resolve, its text comes back."""

import pytest

from engine.logic.language import parse
from engine.logic.packs import pack_of, packs
from engine.logic.printing import print_rules

KEYS = tuple(packs())


@pytest.mark.parametrize("key", KEYS)
def test_every_rule_has_a_name_a_reason_and_a_source(key):
    pack = pack_of(key)
    assert len(pack.statements) >= 8
    for statement in pack.statements:
        assert statement.name
        assert statement.reason
        assert pack.source_of(statement), statement.name
    named = {pack.source_of(statement).id for statement in pack.statements}
    assert named == {source.id for source in pack.sources}


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
    assert len(pack.samples) >= 5
    assert all(variable.text for variable in pack.vocabulary.variables)
