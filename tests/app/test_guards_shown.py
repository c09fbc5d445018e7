"""A guard that the window has never heard of: listed, drawn, exported and played with all the same."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.document import Document
from app.panels.constraints import ConstraintsPanel
from app.panels.violations import LABEL
from app.theme.current import theme
from app.worker import Trainer
from engine.graph import Graph
from engine.guard import BrokenRule, Case, Grid, Guarded, GuardRule, Part, Showing, Tally, changes
from engine.look import Look
from engine.ports import F64, Column
from engine.runtime.program import Program
from engine.violations import RuleCount, Shown

PINS = {"x": "Make it x", "o": "Make it o"}


class Lights(Showing):
    """Six lights in two rows, which must all be on where the fact `power` is above 0."""

    unit: ClassVar[str] = "panel"
    alone = "no other solver is asked about lights"
    rules = (GuardRule("lit", "every light is on"),)
    columns = (Column("power"), Column("room"))

    def tally(self, seen: Guarded) -> Tally:
        raise AssertionError("the panel only shows what was counted")

    def cases(self, seen: Guarded) -> tuple[Case, ...]:
        raise AssertionError("the panel only shows what was told")

    def used(self) -> frozenset[int]:
        return frozenset({0})

    def facts(self, case: Case) -> F64:
        return np.array([1.0, 4.0])

    def again(self, case: Case, facts: F64, pins: Mapping[str, str]) -> Case:
        return told(case.record, power=facts[0] > 0, pins=pins)


def told(record: int, *, power: bool, pins: Mapping[str, str]) -> Case:
    parts = []
    for i in range(6):
        name, said = f"light {i + 1}", "o" if i == record % 6 else "x"
        fixed = pins.get(name, "x" if power else said)
        broken = ("lit",) if said == "o" else ()
        parts.append(Part(name, said, fixed, said != fixed, broken, PINS, pins.get(name, "")))
    grid = Grid(tuple(parts), 3, noun="light")
    rule = BrokenRule("lit", "every light is on", "the room is dark", "Manual", (f"light {record % 6 + 1}",))
    before, after = changes(grid, fixed=False), changes(grid, fixed=True)
    return Case(before, after, "optimal", f"Panel {record} was dark.", (rule,), (), grid, record=record)


@pytest.fixture
def panel(qtbot: QtBot) -> ConstraintsPanel:
    theme().start("dark")
    document = Document()
    trainer = Trainer(document)
    made = ConstraintsPanel(document, trainer)
    qtbot.addWidget(made)
    made.resize(730, 268)
    made.show()
    cases = tuple(told(record, power=True, pins={}) for record in (2, 5, 9))
    shown = Shown("lights", Lights(), 12, 3, 0, (RuleCount("lit", "every light is on", 3, 0),), cases)
    trainer.look = Look(Program(Graph(), {}), 12, guard=shown)
    trainer.looked.emit()
    return made


def test_it_is_listed_with_its_counts_and_words(panel: ConstraintsPanel) -> None:
    assert panel.verify.isHidden()
    assert not panel.is_empty
    assert panel.count == 3
    said = "3 of 12 panels broke a rule; after repair none"
    assert panel._count.text() == f"{said} · no other solver is asked about lights"
    header = panel.table.headerData(0, Qt.Orientation.Horizontal, Qt.ItemDataRole.DisplayRole)
    assert header == "Panel"
    assert panel.view.isColumnHidden(LABEL)
    assert panel.verify.isHidden()
    assert panel.try_.isHidden()
    words = panel.details.words
    assert "Panel 2: 1 of 6 lights changed" in words
    assert "Raw answer: xxoxxx" in words
    assert "After the rules: xxxxxx" in words
    assert "Because: the room is dark" in words


def test_the_next_and_the_one_before_are_jumped_to(panel: ConstraintsPanel) -> None:
    said = []
    for button in (panel.next, panel.next, panel.next, panel.before):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert panel.details.case is not None
        said.append(panel.details.case.record)
    assert said == [5, 9, 2, 9]


@pytest.mark.qt_log_ignore("This plugin does not support")  # of the menu that opens
def test_a_part_that_is_clicked_can_be_fixed_and_let_go(panel: ConstraintsPanel, qtbot: QtBot) -> None:
    view = panel.details.parts
    with qtbot.waitSignal(view.picked) as caught:
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=view.box_of("light 1").center().toPoint())
    assert caught.args[0] == "light 1"
    menu = panel.details.menu_of("light 1")
    assert [a.text() for a in menu.actions() if a.text()] == [*PINS.values(), "Let the rules decide"]
    next(a for a in menu.actions() if a.text() == "Make it o").trigger()
    qtbot.waitUntil(lambda: not panel.details.busy)
    assert panel.details.answer is not None
    assert panel.details.answer.picture.parts[0].pinned == "o"  # type: ignore[union-attr]
    assert "What if: light 1 = o" in panel.details.words
    assert "After the rules: oxxxxx" in panel.details.words
    QTest.mouseClick(panel.details.reset, Qt.MouseButton.LeftButton)
    assert panel.details.answer == panel.details.case
    assert "What if" not in panel.details.words


def test_a_fact_that_is_changed_changes_the_answer(panel: ConstraintsPanel, qtbot: QtBot) -> None:
    details = panel.details
    assert details.facts.row_of("power") == 0
    details.facts.set_text(0, "0")
    qtbot.waitUntil(lambda: not details.busy)
    assert "What if: 1 fact changed" in details.words
    assert "After the rules: xxoxxx" in details.words
    panel.jump(1)
    assert "What if" not in details.words
    assert "Panel 5: " in details.words


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_keys_walk_over_the_parts(panel: ConstraintsPanel, qtbot: QtBot) -> None:
    view = panel.details.parts
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Down):
        QTest.keyClick(view, key)
    with qtbot.waitSignal(view.picked) as caught:
        QTest.keyClick(view, Qt.Key.Key_Return)
    assert caught.args[0] == "light 6"


def test_boards_and_rows_keep_within_any_width(panel: ConstraintsPanel) -> None:
    view = panel.details.parts
    for columns in (3, 0):
        view.show_grid(replace(view.grid, columns=columns))
        for width in (60, 110, 200, 640):
            boxes, high = view._boxes_for(width)
            assert len(boxes) == 12
            assert max(b.place.bottom() for b in boxes) <= high
            assert width < 100 or max(b.place.right() for b in boxes) <= width
            places = [b.place for b in boxes]
            assert not any(a.intersects(b) for i, a in enumerate(places) for b in places[:i])
    assert not view.grab().isNull()


def test_what_is_listed_is_exported_in_whole(panel: ConstraintsPanel, tmp_path: Path) -> None:
    panel.export_to(tmp_path / "out.csv")
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["record"] for row in rows] == ["2", "5", "9"]
    assert rows[0]["raw_answer"] == "xxoxxx"
    assert rows[0]["repaired"] == "xxxxxx"
    assert rows[0]["facts"] == "light 3"
