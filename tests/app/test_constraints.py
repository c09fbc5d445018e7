"""The constraints panel: records, answers, rules and reasons in words; filtered by rule."""

from __future__ import annotations

from pathlib import Path

from panel_runs import begun, run_to_end
from PySide6.QtCore import Qt
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
    assert panel.is_empty
    run_to_end(qtbot, trainer)
    seen = trainer.look
    assert seen is not None
    assert not panel.is_empty
    assert panel.count == seen.violations_raw > 0
    rows = _texts(panel.table)
    assert rows == [cells(v) for v in seen.violations]
    record, _, raw, repaired, broken = rows[0]
    assert record == str(seen.violations[0].record)
    assert raw == "0" != repaired
    assert "tag is at least 0" in broken


def test_a_rule_filters_the_rows(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=2, rule=TWO)
    panel = ConstraintsPanel(document, trainer)
    qtbot.addWidget(panel)
    run_to_end(qtbot, trainer)
    seen = trainer.look
    assert seen is not None
    counts = {rule.name: rule.raw for rule in seen.rules}
    assert set(counts) == {"never_zero", "never_one"}
    for place, (name, raw) in enumerate(counts.items(), start=1):
        assert panel.rules.item(place).text() == f"{name} · {raw}"
        panel.rules.setCurrentRow(place)
        assert panel.table.rowCount() == raw
    panel.rules.setCurrentRow(0)
    assert panel.table.rowCount() == seen.violations_raw


def test_the_chosen_row_is_explained_in_full(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=2)
    panel = ConstraintsPanel(document, trainer)
    qtbot.addWidget(panel)
    run_to_end(qtbot, trainer)
    words = panel.details.words
    assert "never_zero" in words
    assert "Because: tests want a violation" in words
    assert "Here: tag = " in words


def test_the_empty_states_tell_apart_no_rules_no_run_and_no_violation(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=1, rule="rule fine:\n  if tag < 0 then class = 1")
    panel = ConstraintsPanel(document, trainer)
    qtbot.addWidget(panel)
    assert "Press Train" in panel.empty.words()
    run_to_end(qtbot, trainer)
    assert panel.is_empty
    assert "No rule is broken" in panel.empty.words()
    document.edit("Remove", document.graph.remove("rules"))
    assert "Constraint guard" in panel.empty.words()
