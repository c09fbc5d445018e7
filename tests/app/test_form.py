"""A form of many fields: sections that open and close, fields that show only where they apply."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.panels.editors import FlagEditor
from app.panels.form import Form
from app.theme.current import theme
from engine.fields import Fields, choice, flag, path, real, whole

LEFT = Qt.MouseButton.LeftButton


@dataclass(frozen=True)
class Lesson(Fields):
    """A few settings in two groups."""

    title: ClassVar[str] = "Lesson"

    epochs: int = whole(3, 1, 10, "Passes", unit="epochs")
    teacher: str = path("The run that teaches", (".run.h5",), group="Distillation")
    heat: float = real(4.0, 1.0, 20.0, "Softness", group="Distillation", when=lambda t: bool(t.teacher))
    mode: str = choice("a", {"a": "A", "b": "B"}, "Mode")
    loud: bool = flag(False, "Loud", group="Noise", when=lambda t: t.mode == "b", title="As loud as it goes")


@pytest.fixture
def form(qtbot: QtBot, tmp_path: Path) -> Form:
    theme().start("dark")
    QSettings().remove("folds")
    made = Form(Lesson, tmp_path)
    qtbot.addWidget(made)
    made.show_values(Lesson())
    made.resize(300, 500)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_fields_without_a_group_come_first_and_groups_are_closed(form: Form) -> None:
    assert form.editors["epochs"].isVisible()
    assert form.editors["mode"].isVisible()
    assert list(form.folds) == ["Distillation", "Noise"]
    assert not form.editors["teacher"].isVisible()


def test_a_press_on_the_heading_opens_and_closes_and_is_remembered(form: Form, qtbot: QtBot) -> None:
    fold = form.folds["Distillation"]
    QTest.mouseClick(fold.head, LEFT)
    assert fold.open
    assert form.editors["teacher"].isVisible()
    other = Form(Lesson, Path())
    qtbot.addWidget(other)
    assert other.folds["Distillation"].open
    QTest.keyClick(fold.head, Qt.Key.Key_Space)
    assert not form.editors["teacher"].isVisible()


def test_a_field_is_called_by_its_title_where_it_has_one(form: Form) -> None:
    editor = form.editors["loud"]
    assert isinstance(editor, FlagEditor)
    assert editor.box.text() == editor.box.accessibleName() == "As loud as it goes"
    assert form.editors["epochs"].focusProxy().accessibleName() == "Epochs"  # type: ignore[union-attr]


def test_a_field_shows_where_it_applies_and_a_group_where_one_of_its_fields_does(form: Form) -> None:
    form.folds["Distillation"].set_open(True)
    assert not form.editors["heat"].isVisible()
    assert not form.folds["Noise"].isVisible()
    form.show_values(Lesson(teacher="big.run.h5", mode="b"))
    assert form.editors["heat"].isVisible()
    assert form.folds["Noise"].isVisible()
    form.show_values(Lesson())
    assert not form.editors["heat"].isVisible()


def test_a_closed_group_says_how_many_of_its_fields_are_changed(form: Form) -> None:
    fold = form.folds["Distillation"]
    assert fold._aside.text() == ""
    form.show_values(Lesson(teacher="big.run.h5", heat=2.0))
    assert fold._aside.text() == "2 changed"


def test_what_is_wrong_opens_the_group_it_is_in(form: Form) -> None:
    form.show_wrong({"teacher": "There is no such run."})
    assert form.folds["Distillation"].open
    assert form.wrong("teacher") == "There is no such run."
    assert form._rows["teacher"].words.isVisible()
    form.show_wrong({})
    assert not form._rows["teacher"].words.isVisible()


def test_a_hidden_field_shows_no_words_either(form: Form) -> None:
    shown = Lesson(teacher="big.run.h5")
    form.show_values(shown)
    form.show_wrong({"heat": "Too hot."})
    assert form._rows["heat"].words.isVisible()
    form.show_values(replace(shown, teacher=""))
    assert not form._rows["heat"].words.isVisible()
