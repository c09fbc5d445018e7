"""One editor for every form of field: typed, limited, and quiet while the wheel passes over it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QValidator, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.panels.labels import IconButton
from app.theme.figures import THIN, whole
from app.theme.fonts import BASE, font
from engine.fields import About, label

_MARGIN, _NARROWEST = 6, 88  # px


class Editor(QWidget):
    """Base of the editors.

    Signals:
        edited: the value the user made, whenever it is a whole one.
    """

    edited = Signal(object)

    def __init__(self, name: str, about: About) -> None:
        super().__init__()
        self.about = about
        self._name = name
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(4)

    def hold(self, widget: QWidget) -> None:
        """Take the widget that is typed into: it is what a screen reader names and the tab key reaches."""
        widget.setFont(font(BASE))
        widget.setAccessibleName(label(self._name, self.about))
        widget.setAccessibleDescription(self.about.help)
        widget.setToolTip(tip(self.about))
        self.setFocusProxy(widget)
        self._layout.addWidget(widget)

    def show_value(self, value: Any) -> None:
        """Show a value; nothing is emitted."""
        raise NotImplementedError

    def hold_box(self, box: QAbstractSpinBox) -> None:
        """Take a spin box: it is skipped by the wheel, and its figures stand off its border."""
        box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        box.lineEdit().setTextMargins(_MARGIN, 0, 0, 0)
        box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        box.setMinimumWidth(_NARROWEST)
        self.hold(box)

    def set_wrong(self, wrong: bool) -> None:
        """Show by its border whether the value makes a problem."""
        widget = self.focusProxy()
        if widget and bool(widget.property("wrong")) != wrong:
            widget.setProperty("wrong", wrong)
            widget.style().unpolish(widget)
            widget.style().polish(widget)


class _Whole(QSpinBox):
    """A spin box of whole numbers with thin spaces between thousands."""

    def textFromValue(self, value: int) -> str:
        return whole(value)

    def valueFromText(self, text: str) -> int:
        return int(_digits(text, self.suffix()) or 0)

    def validate(self, text: str, place: int) -> tuple[QValidator.State, str, int]:
        digits = _digits(text, self.suffix())
        if digits in ("", "-"):
            return QValidator.State.Intermediate, text, place
        if not digits.lstrip("-").isdecimal():
            return QValidator.State.Invalid, text, place
        inside = self.minimum() <= int(digits) <= self.maximum()
        below = int(digits) < self.minimum()
        state = QValidator.State.Acceptable if inside else _unfinished(below)
        return state, text, place

    def wheelEvent(self, event: QWheelEvent) -> None:
        only_with_focus(self, event) or super().wheelEvent(event)


class WholeEditor(Editor):
    """A whole number."""

    def __init__(self, name: str, about: About) -> None:
        super().__init__(name, about)
        self.box = _Whole()
        self.box.setRange(int(about.low or 0), int(about.high or 0))
        self.box.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
        self.hold_box(self.box)
        self.box.valueChanged.connect(self.edited.emit)

    def show_value(self, value: Any) -> None:
        if self.box.value() != value:
            self.box.blockSignals(True)
            self.box.setValue(value)
            self.box.blockSignals(False)


class _Real(QAbstractSpinBox):
    """A spin box of numbers in any notation; a step is one in the second figure that counts.

    Signals:
        stepped: the user made another number.
    """

    stepped = Signal(float)

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self._low, self._high, self.number = low, high, low
        self.lineEdit().textEdited.connect(self._typed)
        self.editingFinished.connect(self._settle)

    def show_number(self, number: float) -> None:
        """Show a number; nothing is emitted."""
        if number != self.number or not self.lineEdit().text():
            self.number = number
            self._settle()

    def stepBy(self, steps: int) -> None:
        grain = 10.0 ** (math.floor(math.log10(abs(self.number))) - 1) if self.number else self._grain()
        number = min(self._high, max(self._low, round((self.number / grain) + steps) * grain))
        self.number = float(f"{number:.12g}")
        self._settle()
        self.stepped.emit(self.number)

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        flags = QAbstractSpinBox.StepEnabledFlag
        up = flags.StepUpEnabled if self.number < self._high else flags.StepNone
        return up | (flags.StepDownEnabled if self.number > self._low else flags.StepNone)

    def validate(self, text: str, place: int) -> tuple[QValidator.State, str, int]:
        number = _number(text)
        if number is None:
            fits = all(c in "0123456789.,eE+-−" + THIN + " " for c in text)
            return (QValidator.State.Intermediate if fits else QValidator.State.Invalid), text, place
        inside = self._low <= number <= self._high
        return (QValidator.State.Acceptable if inside else QValidator.State.Intermediate), text, place

    def sizeHint(self) -> QSize:
        return QSize(110, super().sizeHint().height())

    def wheelEvent(self, event: QWheelEvent) -> None:
        only_with_focus(self, event) or super().wheelEvent(event)

    def _grain(self) -> float:
        return (self._high - self._low) / 100 if math.isfinite(self._high - self._low) else 0.01

    def _typed(self, text: str) -> None:
        number = _number(text)
        if number is not None and self._low <= number <= self._high and number != self.number:
            self.number = number
            self.stepped.emit(number)

    def _settle(self) -> None:
        self.lineEdit().setText(f"{self.number:.7g}".replace("-", "−"))


class RealEditor(Editor):
    """A number."""

    def __init__(self, name: str, about: About) -> None:
        super().__init__(name, about)
        low = -math.inf if about.low is None else about.low
        high = math.inf if about.high is None else about.high
        self.box = _Real(low, high)
        self.hold_box(self.box)
        self.box.stepped.connect(self.edited.emit)

    def show_value(self, value: Any) -> None:
        self.box.show_number(float(value))


class FlagEditor(Editor):
    """Yes or no; the box carries the field's name."""

    def __init__(self, name: str, about: About) -> None:
        super().__init__(name, about)
        self.box = QCheckBox(label(name, about))
        self.hold(self.box)
        self.box.toggled.connect(self.edited.emit)

    def show_value(self, value: Any) -> None:
        self.box.blockSignals(True)
        self.box.setChecked(value)
        self.box.blockSignals(False)


class TextEditor(Editor):
    """A line of text."""

    def __init__(self, name: str, about: About) -> None:
        super().__init__(name, about)
        self.box = QLineEdit()
        self.hold(self.box)
        self.box.textEdited.connect(self.edited.emit)

    def show_value(self, value: Any) -> None:
        if self.box.text() != value:
            self.box.setText(value)


class PathEditor(Editor):
    """A file, typed or chosen; shown as the project keeps it, relative to its folder where it lies below."""

    def __init__(self, name: str, about: About, folder: Path) -> None:
        super().__init__(name, about)
        self._folder = folder
        self.box = QLineEdit()
        self.box.setPlaceholderText("Choose a file")
        self.hold(self.box)
        self._layout.removeWidget(self.box)
        self.button = IconButton("ph.folder-open", "Choose a file")
        line = QHBoxLayout()
        line.setSpacing(4)
        line.addWidget(self.box, 1)
        line.addWidget(self.button)
        self._layout.addLayout(line)
        self.box.textEdited.connect(self.edited.emit)
        self.button.clicked.connect(self._choose)

    def show_value(self, value: Any) -> None:
        if self.box.text() != value:
            self.box.setText(value)
        self.box.setToolTip("\n".join(part for part in (value, tip(self.about)) if part))

    def take(self, chosen: Path) -> None:
        """Make `chosen` the value."""
        text = kept_path(chosen, self._folder)
        self.show_value(text)
        self.edited.emit(text)

    def _choose(self) -> None:
        patterns = " ".join(f"*{suffix}" for suffix in self.about.suffixes)
        start = self._folder / self.box.text() if self.box.text() else self._folder
        found = QFileDialog.getOpenFileName(
            self, "Choose a file", str(start), f"Files ({patterns});;All files (*)"
        )
        if found[0]:
            self.take(Path(found[0]))


def kept_path(chosen: Path, folder: Path) -> str:
    """Return a path as a project in `folder` keeps it: relative below the folder, whole elsewhere."""
    whole_path, home = chosen.absolute(), folder.absolute()
    if whole_path.is_relative_to(home):
        return whole_path.relative_to(home).as_posix()
    return whole_path.as_posix()


def tip(about: About) -> str:
    """Return what a tooltip says of a field: help, limits, paper."""
    limits = ""
    if about.low is not None and about.high is not None:
        limits = f"{_short(about.low)} to {_short(about.high)} {about.unit}".strip()
    return "\n".join(part for part in (about.help, limits, about.citation) if part)


def _short(number: float) -> str:
    return whole(int(number)) if float(number).is_integer() and abs(number) < 1e15 else f"{number:g}"


def only_with_focus(widget: QWidget, event: QWheelEvent) -> bool:
    """Leave the wheel to the scrolling panel unless the editor has the focus; return whether it was left."""
    if widget.hasFocus():
        return False
    event.ignore()
    return True


def _digits(text: str, suffix: str) -> str:
    return (
        text.removesuffix(suffix).replace(THIN, "").replace("\u00a0", "").replace(" ", "").replace("−", "-")
    )


def _unfinished(below: bool) -> QValidator.State:
    return QValidator.State.Intermediate if below else QValidator.State.Invalid


def _number(text: str) -> float | None:
    try:
        number = float(_digits(text, "").replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
