"""The pack picker: the domain packs as cards, the one looked at in full, and how those taken get on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSplitter, QVBoxLayout, QWidget

from app.panels.checks import ICONS, TONES
from app.panels.empty import Emptiable, EmptyState
from app.panels.labels import IconLabel, caption, note, set_tone
from app.rules.pack_cards import Card, PackCards
from app.rules.pack_match import matches
from app.rules.pack_preview import PackPreview
from app.search import matches as holds
from app.task import Latest, Task
from app.theme.figures import plural
from app.theme.fonts import BASE, font
from app.theme.icons import icon
from engine.errors import PolybitError
from engine.logic.checking import check_rules
from engine.logic.pack import Pack
from engine.logic.packs import combined, packs
from engine.logic.vocabulary import Vocabulary

_CARDS = 400  # px


@dataclass(frozen=True)
class Together:
    """How packs get on with each other and with the node's own rules: a level and sentences."""

    level: str
    what: str
    more: tuple[str, ...] = ()


class PacksView(Emptiable):
    """Lets packs be taken and left.

    Signals:
        taken: the keys of all packs that are taken now.
    """

    taken = Signal(tuple)

    def __init__(self) -> None:
        super().__init__(EmptyState("ph.stack", "Reading the packs", "They are read once."))
        self.packs: dict[str, Pack] = {}
        self.keys: tuple[str, ...] = ()
        self._here, self._own = Vocabulary(()), ""
        self._reading, self._judging = Latest(self), Latest(self)
        self._reading.done.connect(self._take_packs)
        self._reading.failed.connect(lambda words: self.empty.say("The packs cannot be read", words))
        self._judging.done.connect(self._say)
        self._build()
        self.show_empty(True)

    @property
    def busy(self) -> bool:
        """Whether packs are being read, or examined together."""
        return self._reading.busy or self._judging.busy

    def show_taken(self, keys: tuple[str, ...], here: Vocabulary, own: str) -> None:
        """Show which packs a node takes, beside its variables and its own rules."""
        if (keys, here, own) == (self.keys, self._here, self._own) and self.packs:
            return
        self.keys, self._here, self._own = keys, here, own
        if self.packs:
            self._fill()
            self._judge()
        elif not self._reading.busy:
            self._reading.want(lambda _task: _all_packs())

    def wait(self) -> None:
        """End what runs beside the window."""
        self._reading.wait()
        self._judging.wait()

    # Putting together

    def _build(self) -> None:
        self.field = QLineEdit(placeholderText="Filter packs")
        self.field.setFont(font(BASE))
        self.field.setClearButtonEnabled(True)
        self.field.addAction(icon("ph.magnifying-glass", "low"), QLineEdit.ActionPosition.LeadingPosition)
        self.field.setAccessibleName("Filter packs by title, domain, rules and variables")
        self.field.textChanged.connect(lambda _words: self._fill())
        self.cards, self.preview = PackCards(), PackPreview()
        self.cards.chosen.connect(self._look_at)
        self.cards.ticked.connect(self._tick)
        self._state, self.says, self.more = (
            IconLabel(ICONS["ok"], "ok"),
            note("", "hi"),
            caption("", wrap=True),
        )
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(16, 0, 12, 12)
        column.setSpacing(8)
        column.addWidget(self.field)
        column.addWidget(self.cards, 1)
        self._unfound = EmptyState(
            "ph.magnifying-glass", "No pack holds these words", "Try fewer, or others."
        )
        self._unfound.hide()
        column.addWidget(self._unfound, 1)
        said = QHBoxLayout()
        said.setSpacing(8)
        said.addWidget(self._state, 0, Qt.AlignmentFlag.AlignTop)
        said.addWidget(self.says, 1)
        column.addLayout(said)
        column.addWidget(self.more)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setHandleWidth(1)
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(left)
        self.split.addWidget(self.preview)
        self.split.setStretchFactor(1, 1)
        left.setMinimumWidth(300)
        self.preview.setMinimumWidth(300)
        self.split.setSizes([_CARDS, 1000])
        whole = QVBoxLayout(self.content)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.split)

    # Packs

    def _take_packs(self, found: dict[str, Pack]) -> None:
        self.packs = found
        self.show_empty(not found)
        self.empty.say("No packs", "The folder resources/domains holds none.")
        self._fill()
        self._judge()

    def _fill(self) -> None:
        words = self.field.text()
        cards = [
            Card(pack, matches(pack, self._here), key in self.keys)
            for key, pack in self.packs.items()
            if holds(words, pack.title, pack.domain, pack.about, *_names(pack))
        ]
        self.cards.show_cards(cards)
        self.cards.setVisible(bool(cards))
        self._unfound.setVisible(not cards)

    def _look_at(self, key: str) -> None:
        pack = self.packs[key]
        self.preview.show_pack(pack, matches(pack, self._here))

    def _tick(self, key: str) -> None:
        keys = set(self.keys) ^ {key}
        self.keys = tuple(k for k in self.packs if k in keys)
        self._fill()
        self._judge()
        self.taken.emit(self.keys)

    # Together

    def _judge(self) -> None:
        chosen, own, here = [self.packs[k] for k in self.keys if k in self.packs], self._own, self._here
        if not chosen:
            self._judging.wait()
            self._say(Together("ok", "No pack is taken. Tick one to add its rules to those of the node."))
            return
        self._say(Together("ok", f"Looking at {plural(len(chosen), 'pack')} together …"))
        self._judging.want(lambda task: together(chosen, own, here, _stopped(task)))

    def _say(self, found: Together) -> None:
        self._state.show_icon(ICONS[found.level], TONES[found.level])
        self.says.setText(found.what)
        set_tone(self.says, "error" if found.level == "error" else "hi")
        self.more.setText("\n".join(found.more))
        self.more.setVisible(bool(found.more))


def together(chosen: list[Pack], own: str, here: Vocabulary, stopped: Callable[[], bool]) -> Together:
    """Return how packs get on with each other and with rules of one's own."""
    try:
        pack = combined(chosen)
        known = {variable.name for variable in here.variables}
        others = tuple(v for v in pack.vocabulary.variables if v.name not in known)
        vocabulary = Vocabulary((*here.variables, *others))
        origins = {s.name: p.title for p in chosen for s in p.statements if s.name}
        told = check_rules(f"{pack.text}\n{own}", vocabulary, cancelled=stopped, origins=origins)
    except PolybitError as error:
        return Together("error", str(error))
    wrong = [f for f in told.findings if f.severity == "error"]
    if wrong:
        return Together("error", wrong[0].what, tuple(f.what for f in wrong[1:4]))
    count = plural(len(told.rules), "rule")
    stranded = [f.what for f in told.findings if f.kind == "no answer"]
    if stranded:
        return Together(
            "warning", f"{count} that can be kept together, but not with all facts.", tuple(stranded[:4])
        )
    doubled = [f.what for f in told.findings if f.kind in ("same", "implied")]
    titles = plural(len(chosen), "pack")
    beside = " and the rules of the node" if own.strip() else ""
    return Together("ok", f"{titles}{beside}: {count}, which can be kept together.", tuple(doubled[:3]))


def _all_packs() -> dict[str, Pack]:
    found = packs()
    for pack in found.values():
        _ = pack.statements  # read here, not while cards are painted
    return found


def _names(pack: Pack) -> list[str]:
    return [v.name for v in pack.vocabulary.variables] + [s.name for s in pack.statements]


def _stopped(task: Task) -> Callable[[], bool]:
    return lambda: task.stopped
