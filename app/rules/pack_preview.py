"""A domain pack in full: what it is for, its variables beside the data, rules with reasons and sources."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.panels.labels import IconLabel, caption, heading, line, note, row, section_label, strong
from app.rules.pack_match import Match, kind_words
from app.theme.figures import plural
from engine.logic.formula import Statement
from engine.logic.pack import Pack, Reference
from engine.logic.wording import in_words

_WIDEST = 760  # px of text
_LACKING = "A fact that this data lacks is unknown in every record; what is unknown breaks no rule."


class PackPreview(QScrollArea):
    """Shows one pack."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self._shown: tuple[Pack, tuple[Match, ...]] | None = None

    @property
    def words(self) -> str:
        """Return everything it says, a line for each label."""
        return "\n".join(label.text() for label in self.findChildren(QLabel) if label.text())

    def show_pack(self, pack: Pack, matches: tuple[Match, ...]) -> None:
        """Show another pack, its variables beside the data."""
        if self._shown == (pack, matches):
            return
        self._shown = pack, matches
        holder = QWidget()
        holder.setMaximumWidth(_WIDEST)
        column = QVBoxLayout(holder)
        column.setContentsMargins(20, 4, 16, 16)
        column.setSpacing(8)
        _add_head(column, pack)
        _add_section(column, "Variables")
        if any(match.variable.given and not match.found for match in matches):
            column.addWidget(caption(_LACKING, "low", wrap=True))
        column.addWidget(_variables(matches))
        _add_section(column, f"Rules · {len(pack.statements)}")
        for number, statement in enumerate(pack.statements, 1):
            column.addWidget(_rule(pack, statement, number))
        _add_section(column, "Sources")
        for source in pack.sources:
            column.addWidget(_source(source))
        column.addStretch(1)
        self.setWidget(holder)
        holder.setAutoFillBackground(False)


def _add_section(column: QVBoxLayout, title: str) -> None:
    column.addSpacing(4)
    column.addWidget(line())
    column.addWidget(section_label(title))


def _add_head(column: QVBoxLayout, pack: Pack) -> None:
    column.addWidget(heading(pack.title))
    column.addWidget(note(" ".join(pack.about.split()), "hi"))
    if pack.notice:
        warned = note(" ".join(pack.notice.split()), "warn")
        column.addWidget(row(IconLabel("ph.warning-fill", "warn"), warned, stretch=1))
    facts = [
        ("Holds in", pack.jurisdiction),
        ("Written on", pack.date),
        ("Compared with their sources", f"{pack.compared} of {plural(len(pack.statements), 'rule')}"),
        ("Licence of the pack", pack.licence),
    ]
    column.addWidget(
        caption(" · ".join(f"{what}: {value}" for what, value in facts if value), "mid", wrap=True)
    )


def _variables(matches: tuple[Match, ...]) -> QWidget:
    holder = QWidget()
    grid = QGridLayout(holder)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(5)
    ordered = sorted(matches, key=lambda m: (not m.variable.given, not m.found))
    for place, match in enumerate(ordered):
        variable = match.variable
        drawn = ("ph.check-circle-fill", "ok") if match.found else ("ph.minus-circle", "low")
        drawn = drawn if match.found or variable.given else ("ph.flag", "mid")
        icon = IconLabel(*drawn, 14)
        icon.setAccessibleName("in this data" if match.found else "not in this data")
        name = note(variable.name, "hi" if match.found or not variable.given else "mid", wrap=False)
        name.setToolTip(f"{variable.name}: {match.words}")
        said = [kind_words(variable), match.words if variable.given else ""]
        grid.addWidget(icon, place, 0)
        grid.addWidget(name, place, 1)
        grid.addWidget(note(variable.text, "mid"), place, 2)
        grid.addWidget(caption(" · ".join(filter(None, said)), "low", wrap=True), place, 3)
    grid.setColumnStretch(2, 4)
    grid.setColumnStretch(3, 3)
    return holder


def _rule(pack: Pack, statement: Statement, number: int) -> QFrame:
    card = QFrame()
    card.setProperty("surface", "card")
    column = QVBoxLayout(card)
    column.setContentsMargins(12, 9, 12, 10)
    column.setSpacing(3)
    column.addWidget(strong(statement.name or f"rule {number}", "logic"))
    words = in_words(statement.formula)
    column.addWidget(note(f"{words[:1].upper()}{words[1:]}.", "hi"))
    if statement.reason:
        column.addWidget(note(statement.reason, "mid"))
    source = pack.source_of(statement)
    if statement.source:
        where = statement.source[len(source.id) :].strip(" :,") if source else statement.source
        named = f"{source.title}{', ' + where if where else ''}" if source else where
        named += "" if pack.confirmed(statement) else " · not compared with it"
        column.addWidget(caption(named, "low", wrap=True))
    return card


def _source(source: Reference) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(1)
    column.addWidget(note(source.title, "hi"))
    column.addWidget(_addresses((source.url,), "accent"))
    if source.licence:
        column.addWidget(caption(source.licence, "low", wrap=True))
    what = f": {source.compared}" if source.compared else ""
    said = f"Compared on {source.checked}{what}" if source.checked else "Not compared with the rules"
    column.addWidget(caption(said + (", as read at" if source.read else ""), "mid", wrap=True))
    if source.read:
        column.addWidget(_addresses(source.read, "low"))
    return holder


def _addresses(addresses: tuple[str, ...], role: str) -> QLabel:
    label = caption("\n".join(addresses), role, wrap=True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
