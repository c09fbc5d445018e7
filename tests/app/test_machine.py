"""The page of this machine: what the engine says of the host, in words and bars, without a frozen window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot
from small_projects import hybrid

from app.machine import Machine, Step, Told, look_around
from app.plots.speeds import SpeedBars
from app.theme.current import theme
from app.window.main import MainWindow
from engine.files.project import new_project
from engine.hardware import FEATURES, Choice, Host, host, profile

WAIT = 240_000  # ms; kernels may have to be compiled first


@pytest.fixture
def told() -> Told:
    speeds = {"plain": 300e9, "shuffle": 900e9, "a new one": 20e9}
    choice = Choice("signs", "Products of 1-bit rows", 4, "shuffle", "look-ups", speeds)
    there = Host("Some processor", "znver3", ("AVX2",), 2, (32 * 1024, 2**20, 32 * 2**20))
    return Told(there, (choice,), (Step("Dense, Sign", "product and threshold", "stack"),))


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    theme().start("dark")
    monkeypatch.setattr(QMessageBox, "exec", lambda _self: QMessageBox.StandardButton.Discard)
    made = MainWindow(recover=False, remember=False)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.close()


def test_it_says_the_processor_its_vectors_and_the_choice_of_kernels(qtbot: QtBot, told: Told) -> None:
    theme().start("dark")
    page = Machine()
    qtbot.addWidget(page)
    page.resize(900, 900)
    page.show()
    page.show_told(told)
    words = page.words
    for said in (
        "Some processor · znver3 · 2 cores",
        "32 KiB",
        "1 MiB",
        "Products of 1-bit rows, from 4 rows at once",
        "Look-ups, 3.0 times as fast as the plain kernel here.",
        "Dense, Sign",
        "product and threshold",
        *FEATURES.values(),
    ):
        assert said in words
    (bars,) = page.findChildren(SpeedBars)
    assert bars.accessibleName().endswith("300 Gop/s, A new one 20 Gop/s")
    colours = {
        bars.grab().toImage().pixelColor(x, y).name().upper() for x in range(0, 800, 3) for y in (13, 39)
    }
    assert theme().tokens.accent in colours
    page.show_told(told)
    qtbot.waitUntil(lambda: len(page.findChildren(SpeedBars)) == 1)


def test_what_it_says_is_what_the_engine_measured(tmp_path: Path) -> None:
    found = look_around(hybrid(tmp_path), None)
    assert found.host == host()
    assert found.choices == profile()
    nodes = {name for step in found.steps for name in step.nodes.split(", ")}
    assert {"hidden", "head"} <= nodes
    assert look_around(new_project(), None).steps == ()


def test_the_help_menu_opens_it_and_escape_leads_back(window: MainWindow, qtbot: QtBot) -> None:
    window.actions_["new"].trigger()
    window.actions_["machine"].trigger()
    assert window.pages.currentWidget() is window.machine
    assert "Looking around" in window.machine.words
    qtbot.waitUntil(lambda: window.machine.told is not None, timeout=WAIT)
    assert host().name in window.machine.words
    QTest.keyClick(window.machine, Qt.Key.Key_Escape)
    assert window.pages.currentWidget() is window.panes
    window.show_gallery()
    window.actions_["machine"].trigger()
    QTest.mouseClick(window.machine.back, Qt.MouseButton.LeftButton)
    assert window.pages.currentWidget() is window.gallery
