"""The text of rules: colours, completion, marks that travel with their lines, errors underlined."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QTextCharFormat
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.editor.colours import KINDS
from app.editor.marks import Mark
from app.editor.settling import Settling
from app.editor.text import RulesText
from app.editor.words import pieces, suggestions
from app.theme.current import theme
from app.theme.tokens import DARK, LIGHT, contrast
from engine.logic.vocabulary import Vocabulary
from engine.ports import Column

NAMES = Vocabulary.of(("unacc", "very good"), (Column("safety", ("low", "high")), Column("TSH")))


def _shown(qtbot: QtBot, *, margin: bool = True) -> RulesText:
    text = RulesText(margin=margin)
    qtbot.addWidget(text)
    text.resize(700, 400)
    text.show_vocabulary(NAMES)
    text.show()
    qtbot.waitExposed(text)
    text.setFocus()
    return text


def _texts(before: str) -> list[str]:
    return [one.text for one in suggestions(before, NAMES)[1]]


def test_pieces_say_what_each_part_is() -> None:
    line = 'rule low: if safety = "a b" then class = 3 # so'
    found = {line[p.start : p.start + p.length]: p.kind for p in pieces(line)}
    assert found["rule"] == found["if"] == found["then"] == "keyword"
    assert found["low"] == "title"
    assert found["safety"] == "name"
    assert found['"a b"'] == "text"
    assert found["class"] == "class"
    assert found["3"] == "number"
    assert found["# so"] == "comment"


def test_every_colour_reads_on_the_field_in_both_themes() -> None:
    for tokens in (DARK, LIGHT):
        for token in KINDS.values():
            assert contrast(getattr(tokens, token), tokens.field) >= 4.5, (tokens.name, token)


def test_values_follow_an_operator_and_classes_the_class() -> None:
    assert _texts("rule: if safety = ") == ["low", "high"]
    assert _texts("rule: if safety in {low, h") == ["high"]
    assert _texts('rule: if x then class = "v') == ['"very good"']
    assert _texts("rule: if saf")[0] == "safety"
    assert "then" in _texts("rule: if safety = low th")
    assert suggestions("# saf", NAMES) == (0, ())


def test_typing_opens_the_list_and_a_key_takes_from_it(qtbot: QtBot) -> None:
    text = _shown(qtbot)
    QTest.keyClicks(text, "rule a: if saf")
    assert text.completion.isVisible()
    assert text.completion.suggestions[0].text == "safety"
    QTest.keyClick(text, Qt.Key.Key_Return)
    assert text.toPlainText() == "rule a: if safety"
    assert not text.completion.isVisible()
    QTest.keyClicks(text, " = ")
    assert [one.text for one in text.completion.suggestions] == ["low", "high"]
    QTest.keyClick(text, Qt.Key.Key_Down)
    QTest.keyClick(text, Qt.Key.Key_Tab)
    assert text.toPlainText() == "rule a: if safety = high"
    QTest.keyClicks(text, " th")
    assert "condition" in text.completion.words
    QTest.keyClick(text, Qt.Key.Key_Escape)
    assert not text.completion.isVisible()
    QTest.keyClick(text, Qt.Key.Key_Space, Qt.KeyboardModifier.ControlModifier)
    assert text.completion.isVisible()


def test_the_list_stays_inside_the_text(qtbot: QtBot) -> None:
    text = _shown(qtbot)
    text.setPlainText("\n" * 30 + "rule a: if " + "x" * 80 + " s")
    text.moveCursor(text.textCursor().MoveOperation.End)
    text.complete(forced=True)
    assert text.rect().contains(text.completion.geometry())


def test_a_new_line_goes_on_as_far_in(qtbot: QtBot) -> None:
    text = _shown(qtbot)
    QTest.keyClicks(text, "rule a:")
    QTest.keyClick(text, Qt.Key.Key_Return)
    assert text.toPlainText() == "rule a:\n  "


def test_marks_move_with_their_lines(qtbot: QtBot) -> None:
    text = _shown(qtbot)
    text.setPlainText("rule a: class = unacc\nrule b: class = unacc\n")
    text.show_marks({1: Mark("kept", "a"), 2: Mark("redundant", "b")})
    text.show_truths({2: ("false", "b is broken")})
    cursor = text.textCursor()
    cursor.setPosition(len("rule a: class = unacc"))
    cursor.insertText("\n# more")
    assert text.gutter is not None
    assert {line: mark.words for line, mark in text.gutter.marks.items()} == {1: "a", 3: "b"}
    assert set(text.gutter.truths) == {3}
    top = next(top for line, top, _ in text.lines_shown() if line == 3)
    assert text.gutter.words_at(text.rect().topLeft() + text.gutter.rect().topLeft()) == "a"
    assert "b is broken" in text.gutter.words_at(type(text.pos())(3, top + 4))


def test_an_error_is_underlined_where_it_is_in_both_themes(qtbot: QtBot) -> None:
    text = _shown(qtbot, margin=False)
    text.setPlainText("rule a:\n  if nobody = 3 then class = unacc")
    text.mark(2, 6, "There is no column 'nobody'.")
    line, wave = text.extraSelections()
    assert line.format.background().color().alpha() < 255
    assert wave.cursor.selectedText() == "nobody"
    assert wave.format.underlineStyle() == QTextCharFormat.UnderlineStyle.WaveUnderline
    before = wave.format.underlineColor()
    other = "light" if theme().tokens is DARK else "dark"
    theme().choose(other)
    assert text.extraSelections()[1].format.underlineColor() != before
    text.mark(0)
    assert not text.extraSelections()
    assert text.error == ""


def test_slow_work_waits_until_the_typing_pauses(qapp: QApplication) -> None:
    done: list[int] = []

    def act() -> None:
        done.append(1)
        time.sleep(0.03 if len(done) == 1 else 0)

    owner = QObject()
    settling = Settling(act, owner)
    settling.touch()
    assert len(done) == 1
    settling.touch()
    settling.touch()
    assert len(done) == 1
    assert settling.waiting
    settling.settle()
    assert len(done) == 2
    settling.settle()
    assert len(done) == 2
