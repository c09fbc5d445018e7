"""The page of rules: typed, checked beside the window, kept in the document, tried on records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from panel_runs import WAIT, begun, run_to_end
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.document import Document
from app.panels.facts_table import MISSING
from app.rules.judging import truths
from app.rules.page import RulesPage
from app.rules.sample import facts_at, read_sample
from app.rules.truths import counted
from app.worker import Trainer
from engine.catalog import NODES
from engine.files.project import new_project, open_project
from engine.files.store import packed, started
from engine.guard import Grid
from engine.logic.packs import packs
from engine.logic.ruleset import RuleSet
from engine.ports import Column
from engine.runtime.program import Program


@pytest.fixture
def made(tmp_path: Path, qtbot: QtBot) -> Iterator[tuple[Document, Trainer, RulesPage]]:
    document, trainer = begun(tmp_path, epochs=1)
    page = RulesPage(document, trainer)
    qtbot.addWidget(page)
    page.resize(1300, 800)
    page.show()
    page.show_node("rules")
    qtbot.waitUntil(lambda: not page.busy and page.record.judged is not None, timeout=WAIT)
    yield document, trainer, page
    page.wait()


def _settled(qtbot: QtBot, page: RulesPage) -> None:
    qtbot.waitUntil(lambda: not page.busy, timeout=WAIT)


def test_what_is_typed_is_checked_and_kept_as_one_edit(
    made: tuple[Document, Trainer, RulesPage], qtbot: QtBot
) -> None:
    document, _, page = made
    before = document.graph
    page.text.selectAll()
    QTest.keyClicks(page.text, "rule a: if tog > 0 then class = 1")
    _settled(qtbot, page)
    assert "tog" in page.says.text()
    assert page.text.error
    assert page.checks.lines[0].finding.line == 1
    page.text.setPlainText("rule a: if tag > 0 then class = 1")
    _settled(qtbot, page)
    assert page.text.error == ""
    document.settle()
    assert document.graph.node("rules").values()["rules"] == "rule a: if tag > 0 then class = 1"
    assert document.undo.count() == 1
    document.undo.undo()
    assert document.graph == before
    assert page.text.toPlainText() == before.node("rules").values()["rules"]


def test_a_record_is_judged_and_stepped_through(
    made: tuple[Document, Trainer, RulesPage], qtbot: QtBot
) -> None:
    _, _, page = made
    record = page.record
    record.answer.setCurrentIndex(record.answer.findData("class:0"))
    _settled(qtbot, page)
    assert record.judged is not None
    assert record.judged.truths == ("false",)
    assert "broken" in record.truths.item(0).text()
    assert page.text.gutter is not None
    assert page.text.gutter.truths[1][0] == "false"
    record.on.click()
    _settled(qtbot, page)
    assert record.index.value() == 1
    record.answer.setCurrentIndex(record.answer.findData("class:1"))
    _settled(qtbot, page)
    assert record.judged.truths == ("true",)


def test_a_fact_is_changed_cleared_and_reset(made: tuple[Document, Trainer, RulesPage], qtbot: QtBot) -> None:
    _, _, page = made
    record = page.record
    record.answer.setCurrentIndex(record.answer.findData("class:0"))
    row = record.facts.row_of("tag")
    before = record.facts.text(row)
    record.table.setCurrentIndex(record.facts.index(row, 1))
    QTest.keyClick(record.table, Qt.Key.Key_Delete)
    _settled(qtbot, page)
    assert record.facts.text(row) == MISSING
    assert record.judged is not None
    assert record.judged.truths == ("unknown",)
    assert record.facts.set_text(row, "-2")
    _settled(qtbot, page)
    assert record.judged.truths == ("true",)
    assert not record.facts.set_text(row, "much")
    record.reset.click()
    _settled(qtbot, page)
    assert record.facts.text(row) == before
    assert record.judged.truths == ("false",)


def test_a_model_shows_its_answer_before_and_after(
    made: tuple[Document, Trainer, RulesPage], qtbot: QtBot
) -> None:
    _, trainer, page = made
    assert "Train the model" in page.record.why.text()
    run_to_end(qtbot, trainer)
    seen = trainer.look
    assert seen is not None
    page.record.show_record(seen.guard.cases[0].record)
    _settled(qtbot, page)
    raw, fixed = (bars.words for bars in page.record.bars)
    assert raw.startswith("Raw answer: 0")
    assert "0 0.0 % forbidden" in fixed
    assert "ever_zero" in page.record.why.text()
    assert page.record.how.text().startswith("optimal, by ")
    assert "next best: class = " in page.record.how.text()


def test_a_press_on_a_rule_goes_to_its_line(made: tuple[Document, Trainer, RulesPage], qtbot: QtBot) -> None:
    _, _, page = made
    page.text.setPlainText("# first\n\nrule never: if tag > 2 then class = 1")
    _settled(qtbot, page)
    item = page.record.truths.item(0)
    area = page.record.truths.visualItemRect(item)
    QTest.mouseClick(page.record.truths.viewport(), Qt.MouseButton.LeftButton, pos=area.center())
    assert page.text.textCursor().blockNumber() == 2


def test_an_example_is_tried_and_breaks_its_rule_alone(
    made: tuple[Document, Trainer, RulesPage], qtbot: QtBot
) -> None:
    _, _, page = made
    page.text.setPlainText("rule low: if tag < 3 then class = 1\nrule high: if tag > 7 then class = 2")
    _settled(qtbot, page)
    assert [one.example.rule for one in page.checks.examples] == ["low", "high"]
    page.tabs.setCurrentWidget(page.checks)
    QTest.mouseClick(page.checks.examples[1], Qt.MouseButton.LeftButton)
    _settled(qtbot, page)
    assert page.tabs.currentWidget() is page.record
    assert page.record.judged is not None
    assert page.record.judged.truths == ("true", "false")


def test_marks_tell_needed_redundant_and_vacuous_rules(
    made: tuple[Document, Trainer, RulesPage], qtbot: QtBot
) -> None:
    _, _, page = made
    page.text.setPlainText(
        "rule low: if tag < 3 then class = 1\nrule lower: if tag < 2 then class = 1\n"
        "rule idle: if tag < 2 and tag > 5 then class = 2"
    )
    _settled(qtbot, page)
    assert page.text.gutter is not None
    states = {line: mark.state for line, mark in page.text.gutter.marks.items()}
    assert states == {1: "kept", 2: "redundant", 3: "vacuous"}
    assert "low" in page.text.gutter.marks[2].words
    assert "1 redundant" in page.says.text()


def test_without_a_guard_the_page_says_what_to_do(
    made: tuple[Document, Trainer, RulesPage], qtbot: QtBot
) -> None:
    document, _, page = made
    document.edit("Remove", document.graph.remove("rules"))
    assert page.empty.isVisible()
    assert page.empty.words().startswith("No rules in this graph Add a Constraint guard")
    document.edit("Add", document.graph.add("sudoku", NODES["logic.boards"](), 0, 0))
    assert page.empty.words().startswith("The rules of sudoku are built in")


def test_truths_are_those_of_kleene() -> None:
    columns = (Column("a"), Column("b"))
    text = "rule one: if a > 0 then class = x\nrule two: if a > 0 and b > 0 then class = x"
    rules = RuleSet.of(text, ("x", "y"), columns)
    assert truths(rules, np.array([1.0, np.nan]), np.array([1])) == ("false", "unknown")
    assert truths(rules, np.array([0.0, np.nan]), np.array([1])) == ("true", "true")
    assert truths(rules, np.array([1.0, 1.0]), np.array([-1])) == ("unknown", "unknown")
    assert counted(("false", "unknown", "true", "true")) == "1 broken · 1 unknown · 2 kept"


def test_rules_over_events_are_written_here_too(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=1)
    graph = document.graph.add("order", NODES["logic.sequence"](events="a, b, c, d, e, f"), 900, 0)
    document.edit("Add", graph.wire("data", "samples", "order", "scores"))
    page = RulesPage(document, trainer)
    qtbot.addWidget(page)
    page.show()
    page.show_node("order")
    page.text.setPlainText("rule one: response(a, b)\nrule two: response(a, z)")
    _settled(qtbot, page)
    assert "z" in page.says.text()
    assert page.checks.lines[0].finding.line == 2
    page.text.setPlainText("rule one: response(a, b)")
    _settled(qtbot, page)
    assert page.text.error == ""
    page.show_view("packs")
    assert page.packs.isVisible()
    page.packs.taken.emit(("aircraft-departure",))
    assert document.graph.node("order").values()["packs"] == "aircraft-departure"
    page.show_view("write")
    page.wait()


def test_a_typed_sequence_is_judged_and_repaired(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=1)
    text = "rule answered: response(a, b)\nrule once: absence(c, 2)\nrule soon: response(a, b, within 2 h)"
    graph = document.graph.add(
        "order", NODES["logic.sequence"](events="a, b, c, d, e, f", rules=text), 900, 0
    )
    document.edit("Add", graph.wire("data", "samples", "order", "scores"))
    page = RulesPage(document, trainer)
    qtbot.addWidget(page)
    page.resize(1200, 800)
    page.show()
    page.show_node("order")
    _settled(qtbot, page)
    assert page.tabs.currentWidget() is page.sequence
    assert "Nothing is typed yet" in page.sequence.words
    told: list[dict[int, tuple[str, str]]] = []
    page.sequence.truths_found.connect(told.append)
    QTest.keyClicks(page.sequence.text, "c, a, c")
    _settled(qtbot, page)
    tried = page.sequence.tried
    assert tried is not None
    assert tried.truths == ("false", "false", "false")
    assert isinstance(tried.case.picture, Grid)
    assert len(tried.case.picture.changed) == 1
    assert tried.case.left == ()
    assert {line: said for line, (said, _) in told[-1].items()} == {1: "false", 2: "false", 3: "false"}
    page.sequence.text.setPlainText("a at 0 h, b at 3 h")
    _settled(qtbot, page)
    assert page.sequence.tried is not None
    assert page.sequence.tried.truths == ("true", "true", "false")
    page.sequence.text.setPlainText("a, z")
    _settled(qtbot, page)
    assert "There is no event 'z'" in page.sequence.words
    assert page.sequence.tried is None
    page.sequence.text.clear()
    page.sequence.append("a")
    page.sequence.append("b")
    assert page.sequence.text.toPlainText() == "a, b"
    _settled(qtbot, page)
    assert page.sequence.tried is not None
    assert page.sequence.tried.truths == ("true", "true", "unknown")
    page.wait()


def test_facts_are_those_that_arrive_at_the_guard_measures_too() -> None:
    project = open_project(Path(__file__).parents[2] / "projects/digits/digits.polybit")
    graph = project.graph
    sample = read_sample(graph, project.folder)
    record = sample.parts["validation"].take(slice(7, 8))
    found = facts_at(graph, "Constraint guard", record)
    program = Program(graph, packed(graph, started(graph)))
    arriving = program.inputs_of("Constraint guard", next(program.runs(record, only="Constraint guard")))[1]
    assert arriving is not None
    assert np.isfinite(found).sum() > len(found) / 2
    assert np.array_equal(found, arriving[0], equal_nan=True)


def test_what_is_typed_stays_with_its_node_and_its_project(
    made: tuple[Document, Trainer, RulesPage], tmp_path: Path, qtbot: QtBot
) -> None:
    document, _, page = made
    other = NODES["logic.rules"](rules="# the other")
    document.edit("Add", document.graph.add("second", other, 900, 0))
    page.text.setPlainText("# typed")
    page.show_node("second")
    assert page.text.toPlainText() == "# the other"
    assert document.graph.node("rules").values()["rules"] == "# typed"
    page.text.setPlainText("# more")
    document.step_back()
    assert document.graph.node("second").values()["rules"] == "# the other"
    assert page.text.toPlainText() == "# the other"
    page.text.setPlainText("# more")
    document.load(new_project())
    assert page.empty.isVisible()
    assert not document.graph.nodes
    assert document.clean


def test_rules_of_packs_count_beside_those_of_the_text(
    made: tuple[Document, Trainer, RulesPage], qtbot: QtBot
) -> None:
    document, _, page = made
    pack = next(p for p in packs().values() if p.vocabulary.given and not p.vocabulary.sequences)
    page.show_view("packs")
    qtbot.waitUntil(lambda: bool(page.packs.packs), timeout=WAIT)
    page.packs.taken.emit((pack.key,))
    page.show_view("write")
    _settled(qtbot, page)
    assert page.says.text().endswith("beside 1 pack.")
    assert page.record.facts.row_of(pack.vocabulary.given[0].name) >= 0
    texts = [page.record.truths.item(i).text() for i in range(page.record.truths.count())]
    assert sum(text.endswith("· pack") for text in texts) == len(texts) - 1 > 0
    assert document.undo.undoText() == "Choose packs of rules"
    page.text.setPlainText("")
    _settled(qtbot, page)
    assert page.says.text() == "No rules beside those of 1 pack."
    page.text.setPlainText("rule again: if tag < 3 then class = 1")
    _settled(qtbot, page)
    QTest.keyClick(page.text, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    page.text.completion.hide()
    assert set(page.text.gutter.truths if page.text.gutter else ()) == {1}


def test_a_record_without_an_answer_is_told_marked_and_tried(
    made: tuple[Document, Trainer, RulesPage], qtbot: QtBot
) -> None:
    _, _, page = made
    page.text.setPlainText(
        "rule low: if tag < 3 then class = 1\nrule small: if tag < 2 then class = 2\n"
        "rule high: if tag > 7 then class = 2"
    )
    _settled(qtbot, page)
    assert "they can be kept together, but not with all facts" in page.says.text()
    assert page.checks.lines[1].finding.what.startswith(
        "When tag < 2, no answer keeps all rules: low and small"
    )
    assert page.text.gutter is not None
    states = {line: mark.state for line, mark in page.text.gutter.marks.items()}
    assert states == {1: "conflicting", 2: "conflicting", 3: "kept"}
    (one,) = page.checks.stranded
    assert one.example.rule == "low and small"
    page.tabs.setCurrentWidget(page.checks)
    QTest.mouseClick(one, Qt.MouseButton.LeftButton)
    _settled(qtbot, page)
    assert page.tabs.currentWidget() is page.record
    row = page.record.facts.row_of("tag")
    assert float(page.record.facts.text(row)) < 2
