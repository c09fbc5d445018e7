"""The style sheet: one template, filled with the tokens. It sets no font: QSS has no variable weights."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

from PySide6.QtCore import QSize

from app.theme.glyphs import glyph
from app.theme.tokens import Tokens, mixed

_ARROWS = {"down": "ph.caret-down", "up": "ph.caret-up", "right": "ph.caret-right", "tick": "ph.check-bold"}

_SHEET = Template("""
QMainWindow, QDialog { background: $window; }
QWidget { selection-background-color: $accent; selection-color: $on_accent; }
QMainWindow::separator { background: $line; width: 1px; height: 1px; }
QMenuBar { background: $window; color: $mid; padding: 2px 10px; border: 0; }
QMenuBar::item { padding: 5px 10px; border-radius: 5px; background: transparent; }
QMenuBar::item:selected { background: $hover; color: $hi; }
QMenu { background: $card; border: 1px solid $line_strong; padding: 6px; border-radius: 8px; }
QMenu::item { padding: 6px 28px 6px 12px; border-radius: 5px; color: $hi; }
QMenu::item:selected { background: $chosen; }
QMenu::item:disabled { color: $faint; }
QMenu::icon { padding-left: 8px; }
QMenu::separator { height: 1px; background: $line; margin: 6px 8px; }
QToolBar { background: $window; border: 0; border-bottom: 1px solid $line; spacing: 4px;
  padding: 6px 12px 10px; }
QToolBar::separator { width: 1px; background: $line; margin: 6px 10px; }
QToolButton { border: 1px solid transparent; border-radius: 6px; padding: 5px; background: transparent;
  color: $hi; }
QToolButton:hover { background: $hover; }
QToolButton:pressed, QToolButton:checked { background: $chosen; }
QToolButton:focus { border: 1px solid $accent; }
QToolButton::menu-indicator { image: none; }
QStatusBar { background: $window; border-top: 1px solid $line; color: $mid; }
QStatusBar::item { border: 0; }
QSplitter::handle { background: $line; }
QSplitter::handle:hover { background: $accent; }
QToolTip { background: $card; color: $hi; border: 1px solid $line_strong; padding: 6px 8px; }
QPushButton { background: $card; color: $hi; border: 1px solid $line_strong; border-radius: 6px;
  padding: 0 14px;
  min-height: 28px; }
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $chosen; }
QPushButton:focus { border: 2px solid $accent; padding: 0 13px; min-height: 26px; }
QPushButton:disabled { color: $faint; border-color: $line; }
QPushButton[role="primary"] { background: $accent; color: $on_accent; border: 1px solid $accent; }
QPushButton[role="primary"]:hover { background: $accent_hover; }
QPushButton[role="primary"]:disabled { background: $hover; color: $faint; border-color: $hover; }
QPushButton[role="flat"] { background: transparent; border-color: transparent; padding: 0 8px;
  color: $mid; }
QPushButton[role="flat"]:hover { background: $hover; color: $hi; }
QPushButton[role="fold"] { background: transparent; border: 1px solid transparent; padding: 0 4px 0 0;
  color: $mid; text-align: left; min-height: 24px; }
QPushButton[role="fold"]:hover { color: $hi; }
QPushButton[role="fold"]:focus { border: 1px solid $accent; }
QLineEdit, QComboBox, QAbstractSpinBox, QPlainTextEdit, QTextEdit { background: $field; color: $hi;
  border: 1px solid $line_strong; border-radius: 6px; padding: 0 8px; }
QLineEdit, QComboBox, QAbstractSpinBox { min-height: 28px; }
QPlainTextEdit, QTextEdit { padding: 6px; }
QLineEdit:focus, QComboBox:focus, QAbstractSpinBox:focus, QPlainTextEdit:focus, QTextEdit:focus {
  border: 2px solid $accent; padding: 0 7px; min-height: 26px; }
QPlainTextEdit:focus, QTextEdit:focus { padding: 5px; }
QLineEdit:disabled, QComboBox:disabled, QAbstractSpinBox:disabled { color: $faint; border-color: $line; }
QLineEdit[wrong="true"], QAbstractSpinBox[wrong="true"], QPlainTextEdit[wrong="true"] {
  border-color: $error; }
QComboBox::drop-down { border: 0; width: 24px; subcontrol-origin: padding;
  subcontrol-position: center right; }
QComboBox::down-arrow { image: url("$arrows/down.png"); width: 12px; height: 12px; }
QComboBox QAbstractItemView { background: $card; border: 1px solid $line_strong; padding: 4px; outline: 0;
  selection-background-color: $chosen; selection-color: $hi; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 20px; border: 0;
  background: transparent; }
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover { background: $hover; }
QAbstractSpinBox::up-arrow { image: url("$arrows/up.png"); width: 10px; height: 10px; }
QAbstractSpinBox::down-arrow { image: url("$arrows/down.png"); width: 10px; height: 10px; }
QCheckBox { spacing: 8px; color: $hi; min-height: 24px; }
QCheckBox::indicator { width: 16px; height: 16px; border: 1px solid $line_strong; border-radius: 4px;
  background: $field; }
QCheckBox::indicator:hover { border-color: $accent; }
QCheckBox::indicator:focus { border: 2px solid $accent; width: 14px; height: 14px; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: url("$arrows/tick.png"); }
QScrollArea { border: 0; background: transparent; }
QScrollBar:vertical { width: 10px; background: transparent; margin: 0; }
QScrollBar:horizontal { height: 10px; background: transparent; margin: 0; }
QScrollBar::handle { background: $line_strong; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::handle:hover { background: $low; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QTabWidget::pane { border: 0; background: $panel; }
QTabBar { background: $panel; qproperty-drawBase: 0; }
QTabBar::tab { background: transparent; color: $mid; padding: 9px 14px; border: 0;
  border-bottom: 2px solid transparent; }
QTabBar[tight="true"]::tab { padding: 9px 7px; }
QTabBar::tab:hover { color: $hi; }
QTabBar::tab:selected { color: $hi; border-bottom: 2px solid $accent; }
QTabBar::tab:focus { color: $accent; }
QAbstractItemView { background: $panel; alternate-background-color: $window; border: 0; outline: 0;
  color: $hi; }
QTreeView::item, QListView::item, QTableView::item { min-height: 26px; padding: 0 6px; }
QTreeView::item:hover, QListView::item:hover, QTableView::item:hover { background: $hover; }
QTreeView::item:selected, QListView::item:selected, QTableView::item:selected { background: $chosen;
  color: $hi; }
QTreeView::branch { background: transparent; }
QHeaderView { background: $panel; }
QHeaderView::section { background: $panel; color: $low; border: 0; border-bottom: 1px solid $line;
  padding: 6px; }
QTableView { gridline-color: $line; }
QTableCornerButton::section { background: $panel; border: 0; }
QProgressBar { background: $line; border: 0; border-radius: 3px; min-height: 6px; max-height: 6px; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }
QSlider::groove:horizontal { height: 4px; background: $line_strong; border-radius: 2px; }
QSlider::handle:horizontal { background: $accent; width: 14px; margin: -5px 0; border-radius: 7px; }
QWidget[surface="panel"] { background: $panel; }
QWidget[surface="window"] { background: $window; }
QWidget[surface="canvas"] { background: $canvas; }
QFrame[surface="card"] { background: $card; border: 1px solid $line; border-radius: 8px; }
QFrame[surface="card"]:focus { border: 2px solid $accent; }
QFrame[surface="pressable"] { border: 1px solid transparent; border-radius: 6px; }
QFrame[surface="pressable"]:hover { background: $hover; }
QFrame[surface="pressable"]:focus { border: 1px solid $accent; }
QFrame[surface="popup"] { background: $card; border: 1px solid $line_strong; border-radius: 9px; }
QFrame[surface="line"] { background: $line; border: 0; }
QLabel { background: transparent; }
QLabel[tone="hi"] { color: $hi; }
QLabel[tone="mid"] { color: $mid; }
QLabel[tone="low"] { color: $low; }
QLabel[tone="ok"] { color: $ok; }
QLabel[tone="logic"] { color: $logic; }
QLabel[tone="warn"] { color: $warn; }
QLabel[tone="error"] { color: $error; }
QLabel[tone="accent"] { color: $accent; }
""")


def style(tokens: Tokens) -> str:
    """Return the style sheet of a theme."""
    return _SHEET.substitute(
        tokens.colours(),
        chosen=mixed(tokens.accent, tokens.card, 0.22),
        accent_hover=mixed(tokens.hi if tokens.name == "light" else "#FFFFFF", tokens.accent, 0.14),
        faint=mixed(tokens.low, tokens.panel, 0.65),
        arrows=_arrows(tokens),
    )


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="polybit-style-")


@cache
def _arrows(tokens: Tokens) -> str:
    """Write the small pictures that a style sheet can only take from files; return their folder."""
    folder = Path(_folder().name) / tokens.name
    folder.mkdir(exist_ok=True)
    for name, drawn in _ARROWS.items():
        icon = glyph(drawn, tokens.on_accent if name == "tick" else tokens.mid)
        for suffix, ratio in (("", 1.0), ("@2x", 2.0)):
            icon.pixmap(QSize(12, 12), ratio).save(str(folder / f"{name}{suffix}.png"))
    return folder.as_posix()
