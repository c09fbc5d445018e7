"""The pack picker: cards by domain, what matches, a preview with sources, several taken, conflicts told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.rules.pack_match import counted, matches
from app.rules.packs_view import PacksView, together
from engine.logic.pack import Pack
from engine.logic.packs import packs
from engine.logic.vocabulary import Vocabulary
from engine.ports import Column

WAIT = 60_000


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[PacksView]:
    made = PacksView()
    qtbot.addWidget(made)
    made.resize(1200, 760)
    made.show()
    made.show_taken((), _here(first_pack()), "")
    qtbot.waitUntil(lambda: bool(made.packs), timeout=WAIT)
    yield made
    made.wait()


def first_pack() -> Pack:
    """Return a shipped pack that takes facts."""
    return next(pack for pack in packs().values() if pack.vocabulary.given)


def _here(pack: Pack) -> Vocabulary:
    """Return data whose columns have the first fact of a pack."""
    fact = pack.vocabulary.given[0]
    column = Column(fact.name, fact.values if fact.values else ("no", "yes") if fact.kind == "flag" else ())
    return Vocabulary.of(("a", "b"), (column, Column("unheard_of")))


def test_every_pack_is_a_card_under_its_domain(view: PacksView) -> None:
    texts = [view.cards.item(i).text() for i in range(view.cards.count())]
    assert {pack.title for pack in packs().values()} <= set(texts)
    assert {pack.domain for pack in packs().values()} <= set(texts)


def test_a_card_is_seen_in_full_with_reasons_and_sources(view: PacksView) -> None:
    pack = first_pack()
    view.cards.look_at(pack.key)
    words = view.preview.words
    assert pack.title in words
    assert pack.statements[0].name in words
    assert pack.statements[0].reason in words
    assert pack.sources[0].url in words
    assert f"{pack.compared} of {len(pack.statements)} rules" in words
    assert ("Compared on" if pack.sources[0].checked else "Not compared with the rules") in words
    assert all(variable.name in words for variable in pack.vocabulary.variables)
    assert "not in this data" in words or len(pack.vocabulary.given) == 1


def test_words_that_no_pack_holds_leave_a_sentence_in_place_of_the_cards(view: PacksView) -> None:
    said = view.says.text()
    view.field.setText("zzzz")
    assert not view.cards.isVisible()
    assert view.says.text() == said
    view.field.clear()
    assert view.cards.isVisible()
    assert view.cards.count() > len(view.packs)


def test_packs_are_taken_by_mouse_and_by_key(view: PacksView, qtbot: QtBot) -> None:
    pack = first_pack()
    view.cards.look_at(pack.key)
    view.cards.scrollToItem(view.cards.currentItem())
    with qtbot.waitSignal(view.taken) as caught:
        QTest.mouseClick(
            view.cards.viewport(), Qt.MouseButton.LeftButton, pos=view.cards.box_of(pack.key).center()
        )
    assert caught.args == [(pack.key,)]
    qtbot.waitUntil(lambda: not view.busy, timeout=WAIT)
    assert "can be kept together" in view.says.text()
    view.cards.look_at(pack.key)
    with qtbot.waitSignal(view.taken) as caught:
        QTest.keyClick(view.cards, Qt.Key.Key_Space)
    assert caught.args == [()]
    assert "No pack is taken" in view.says.text()


def test_the_filter_finds_packs_by_a_rule_or_variable(view: PacksView) -> None:
    pack = first_pack()
    QTest.keyClicks(view.field, pack.statements[0].name)
    texts = [view.cards.item(i).text() for i in range(view.cards.count())]
    assert pack.title in texts
    QTest.keyClicks(view.field, "zzzz")
    assert view.cards.count() == 0
    assert "No pack" in view.says.text()


def test_conflicts_are_told_between_packs_and_with_rules_of_ones_own() -> None:
    pack = first_pack()
    first = next(v for v in pack.vocabulary.variables if v.kind == "flag")
    turned = (replace(v, given=not v.given) if v == first else v for v in pack.vocabulary.variables)
    other = replace(pack, key="other", vocabulary=Vocabulary(tuple(turned)))
    here = Vocabulary.of(("a", "b"), ())
    own = "rule never: class = a\nrule always: class = b"
    told = together([pack], own, here, lambda: False)
    assert told.level == "error"
    assert "never" in told.what
    assert "always" in told.what
    assert together([pack], "", here, lambda: False).level == "ok"
    told = together([pack, other], "", here, lambda: False)
    assert told.level == "error"
    assert first.name in told.what


def test_what_the_data_has_is_told_from_what_it_lacks() -> None:
    pack = first_pack()
    found = matches(pack, _here(pack))
    assert counted(found) == (1, len(pack.vocabulary.given))
    by_name = {m.variable.name: m for m in found}
    assert by_name[pack.vocabulary.given[0].name].found
    decided = pack.vocabulary.decided[0]
    named = matches(pack, Vocabulary.of((decided.name, "b"), ()))
    assert next(m for m in named if m.variable.name == decided.name).words == "a class of the data"
