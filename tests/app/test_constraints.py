"""The constraints panel: records, answers, rules and reasons in words; filtered by rule."""

from __future__ import annotations

import csv
from pathlib import Path

from panel_runs import begun, run_to_end
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from small_projects import RULE

from app.panels.constraints import ConstraintsPanel
from app.panels.violations import COLUMNS, ViolationTable, cells

TWO = RULE + "\nrule never_one:\n  if tag > 0.5 then class != 1"


def _texts(table: ViolationTable) -> list[tuple[str, ...]]:
    return [
        tuple(table.data(table.index(row, c), Qt.ItemDataRole.DisplayRole) for c in range(len(COLUMNS)))
        for row in range(table.rowCount())
    ]


def test_every_violation_is_a_row_in_words(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=2)
    panel = ConstraintsPanel(document, trainer)
    qtbot.addWidget(panel)
    panel.show()
    assert panel.is_empty
    run_to_end(qtbot, trainer)
    seen = trainer.look
    assert seen is not None
    assert not panel.is_empty
    assert panel.count == seen.guard.raw > 0
    rows = _texts(panel.table)
    assert rows == [cells(v) for v in seen.guard.cases]
    record, raw, repaired, broken, _ = rows[0]
    assert record == str(seen.guard.cases[0].record)
    assert raw == "0" != repaired
    assert broken == "never_zero"
    tip = panel.table.data(panel.table.index(0, COLUMNS.index("Broken")), Qt.ItemDataRole.ToolTipRole)
    assert "tag is at least 0" in tip


def test_a_rule_filters_the_rows(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=2, rule=TWO)
    panel = ConstraintsPanel(document, trainer)
    qtbot.addWidget(panel)
    panel.show()
    run_to_end(qtbot, trainer)
    seen = trainer.look
    assert seen is not None
    counts = {rule.name: rule.raw for rule in seen.guard.rules}
    assert set(counts) == {"never_zero", "never_one"}
    for place, (name, raw) in enumerate(counts.items(), start=1):
        assert panel.rules.item(place).text() == f"{name}: {raw} before repair, 0 after"
        panel.rules.setCurrentRow(place)
        assert panel.table.rowCount() == raw
    panel.rules.setCurrentRow(0)
    assert panel.table.rowCount() == seen.guard.raw


def test_the_chosen_row_is_explained_in_full(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=2)
    panel = ConstraintsPanel(document, trainer)
    qtbot.addWidget(panel)
    panel.show()
    run_to_end(qtbot, trainer)
    words = panel.details.words
    assert "never_zero" in words
    assert "Raw answer: 0" in words
    assert "0 0.0 % forbidden" in words
    assert "Cheapest alternative: " in words
    assert "nats dearer" in words
    assert "Status: optimal, by every class: the most probable answer that keeps every rule, proven." in words
    assert "Because: tests want a violation" in words
    assert "Here: tag = " in words


def test_words_and_a_class_filter_the_rows(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=2, rule=TWO)
    panel = ConstraintsPanel(document, trainer)
    qtbot.addWidget(panel)
    panel.show()
    run_to_end(qtbot, trainer)
    every = panel.table.rowCount()
    QTest.keyClicks(panel.filter.words, "never_one")
    assert 0 < panel.table.rowCount() < every
    assert all("never_one" in " ".join(r.name for r in v.broken) for v in panel.table.rows)
    QTest.keyClicks(panel.filter.words, " nothing holds this")
    assert panel.table.rowCount() == 0
    assert not panel.save.isEnabled()
    panel.filter.words.clear()
    box = panel.filter.boxes["label"]
    assert box.isVisible()
    box.setCurrentIndex(box.findData("2"))
    assert all("2" in (v.label, v.said, v.fixed) for v in panel.table.rows)
    box.setCurrentIndex(0)
    assert panel.table.rowCount() == every


def test_what_is_listed_is_exported_whole_or_not_at_all(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=2)
    panel = ConstraintsPanel(document, trainer)
    qtbot.addWidget(panel)
    panel.show()
    run_to_end(qtbot, trainer)
    said: list[tuple[str, str]] = []
    panel.said.connect(lambda words, tone: said.append((words, tone)))
    panel.export_to(tmp_path / "broken")
    rows = list(csv.DictReader((tmp_path / "broken.csv").read_text(encoding="utf-8").splitlines()))
    assert [int(row["record"]) for row in rows] == [v.record for v in panel.table.rows]
    assert {row["rules"] for row in rows} == {"never_zero"}
    assert rows[0]["facts"].startswith("tag = ")
    assert said == [(f"Wrote {len(rows)} answers to broken.csv.", "good")]
    panel.export_to(tmp_path / "nowhere" / "broken.csv")
    assert said[-1][1] == "error"
    assert not list(tmp_path.glob(".*part"))


def test_a_record_is_handed_on_to_be_played_with(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=2)
    panel = ConstraintsPanel(document, trainer)
    qtbot.addWidget(panel)
    panel.show()
    run_to_end(qtbot, trainer)
    with qtbot.waitSignal(panel.what_if_wanted) as caught:
        QTest.mouseClick(panel.try_, Qt.MouseButton.LeftButton)
    chosen = panel.table.case(panel.view.currentIndex().row())
    assert chosen is not None
    assert caught.args == [chosen.record]


def test_the_empty_states_tell_apart_no_rules_no_run_and_no_violation(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=1, rule="rule fine:\n  if tag < 0 then class = 1")
    panel = ConstraintsPanel(document, trainer)
    qtbot.addWidget(panel)
    panel.show()
    assert "Press Train" in panel.empty.words()
    run_to_end(qtbot, trainer)
    assert panel.is_empty
    assert "No rule is broken" in panel.empty.words()
    document.edit("Remove", document.graph.remove("rules"))
    assert "Constraint guard" in panel.empty.words()
