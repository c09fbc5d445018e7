"""The main window: puts document, trainer, panes and commands together."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QByteArray, QPoint, QSettings, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QMainWindow, QMenu, QStackedWidget, QWidget

from app.canvas import edits
from app.document import Document
from app.gallery import Gallery
from app.machine import Machine
from app.panels.rules_editor import ruled
from app.panels.status import StatusPanel
from app.recovery import Recovery, left_behind, recovery_folder
from app.rules.page import RulesPage
from app.search import SearchPopup
from app.window.about import about_words, keys_words
from app.window.actions import Actions
from app.window.collector import Collector
from app.window.command_palette import open_palette
from app.window.commands import add_commands
from app.window.deploy import DeployCommands
from app.window.example_search import open_examples
from app.window.files import FileCommands
from app.window.menus import ToolBar, context_menu, fill_menus, fill_recent
from app.window.panes import Panes
from app.window.quantizing import QuantizeCommands
from app.window.toast import Toasts
from app.window.training import TrainingCommands
from app.window.widening import open_widening
from app.worker import RUN_SUFFIX, Trainer
from engine.errors import PolybitError
from engine.runtime.program import guards_of


class MainWindow(QMainWindow):
    """The workbench. It opens on the gallery until there is a project."""

    def __init__(self, *, recover: bool = True, remember: bool = True) -> None:
        """Make the window.

        Args:
            recover: whether to keep a recovery file, and to offer what was left behind.
            remember: whether to take and keep sizes and places in the settings.
        """
        super().__init__()
        self._remember = remember
        self._collector = Collector(self)
        self._recovery = Recovery(recovery_folder()) if recover else None
        self.document = Document(recovery=self._recovery)
        self.trainer = Trainer(self.document, self)
        self.panes = Panes(self.document, self.trainer)
        self.canvas = self.panes.canvas
        self.gallery, self.machine, self.pages = Gallery(), Machine(), QStackedWidget()
        self.rules = RulesPage(self.document, self.trainer)
        for page in (self.gallery, self.panes, self.machine, self.rules):
            self.pages.addWidget(page)
        self._before: QWidget | None = self.gallery  # the page that the machine's leads back to
        self.setCentralWidget(self.pages)
        self.toasts = Toasts(self.pages)
        self.actions_ = Actions(self, self.canvas)
        self.files = FileCommands(self, self.document, self.toasts)
        self.deploy = DeployCommands(self, self.document, self.trainer, self.toasts)
        self.quantizing = QuantizeCommands(self, self.document, self.trainer, self.toasts, self.files.open)
        self.training = TrainingCommands(self.document, self.trainer, self.panes, self.actions_, self.toasts)
        add_commands(self)
        self._recent = QMenu("Open &recent", self)
        self._recent.aboutToShow.connect(self._fill_recent)
        fill_menus(self.menuBar(), self.actions_, self._recent)
        self.tools = ToolBar(self, self.actions_)
        self.addToolBar(self.tools)
        self.status = StatusPanel(self.document, self.trainer)
        self.statusBar().setSizeGripEnabled(False)
        self.statusBar().addWidget(self.status, 1)
        self.popup: SearchPopup | None = None
        self._connect()
        self.setAcceptDrops(True)
        self._take_place(remember=remember)
        self._fill_recent()
        self.show_gallery()
        self._follow_document()
        if recover:
            QTimer.singleShot(0, self, self.offer_recovery)

    # Pages

    def show_gallery(self) -> None:
        """Show the examples and recent projects."""
        self.gallery.show_recent(self.files.recent())
        self.pages.setCurrentWidget(self.gallery)
        self._follow_document()

    def show_workbench(self) -> None:
        """Show the project."""
        self.pages.setCurrentWidget(self.panes)
        self._follow_document()
        self.canvas.setFocus()
        QTimer.singleShot(0, self.canvas, self.canvas.fit)

    def show_machine(self) -> None:
        """Show what this host can do, and which kernels serve the project on it."""
        if self.pages.currentWidget() is not self.machine:
            self._before = self.pages.currentWidget()
        self.machine.refresh(self.document.project, self.trainer.program)
        self.pages.setCurrentWidget(self.machine)
        self.machine.setFocus()
        self._follow_document()

    def leave_machine(self) -> None:
        """Go back to the page before."""
        self.pages.setCurrentWidget(self._before or self.gallery)
        self._follow_document()

    def show_rules(self, name: str = "", form: str = "rules") -> None:
        """Show the rules of a node: of the one named, the one selected, or the first there is.

        Args:
            name: the node.
            form: `rules` for the text, `packs` for the picker.
        """
        document = self.document
        document.settle()
        chosen = [n for n in document.selection if n in ruled(document.graph)]
        self.pages.setCurrentWidget(self.rules)
        self.rules.show_node(name or (chosen[-1] if chosen else ""), "packs" if form == "packs" else "write")
        self._follow_document()

    def show_what_if(self, record: int) -> None:
        """Show a record of the last look with its facts to change."""
        self.show_rules()
        self.rules.show_record(record)

    def jump_to_broken(self, by: int) -> None:
        """Go to the next answer that broke a rule, or to the one before; on the page of rules, too."""
        if self.pages.currentWidget() is self.rules:
            self.rules.record.jump_to_broken(by)
            return
        if self.panes.tabs.currentWidget() is not self.panes.constraints:
            self.panes.show_panel("constraints")
            by = 0  # the one that is chosen is the next to be seen
        self.panes.constraints.jump(by)

    def open_palette(self) -> None:
        """Open the command palette under the search field."""
        field = self.tools.search
        at = field.mapTo(self, QPoint(0, field.height() + 4))
        self.popup = open_palette(self, at, self.document, self.canvas, self.actions_)
        self.popup.closed.connect(self._popup_gone)

    def open_examples(self) -> None:
        """Open the search among the examples over the middle of the page."""
        at = QPoint(self.rect().center().x() - SearchPopup.WIDTH // 2, self.height() // 6)
        self.popup = open_examples(self, at, self.files.open)
        self.popup.closed.connect(self._popup_gone)

    def open_widening(self) -> None:
        """Open the choice of how much wider every hidden layer becomes."""
        at = QPoint(self.rect().center().x() - SearchPopup.WIDTH // 2, self.height() // 6)
        self.popup = open_widening(self, at, self.document)
        self.popup.closed.connect(self._popup_gone)

    def open_quantizing(self) -> None:
        """Open the choice of widths that the trained run is quantized to."""
        at = QPoint(self.rect().center().x() - SearchPopup.WIDTH // 2, self.height() // 6)
        popup = self.quantizing.open(at)
        if popup:
            self.popup = popup
            popup.closed.connect(self._popup_gone)

    def offer_recovery(self) -> None:
        """Offer what windows that are gone left behind, newest first."""
        for left in left_behind(recovery_folder())[:1]:
            name = left.project.path.name if left.project.path else left.project.name
            toast = self.toasts.say(f"Unsaved changes to {name} survived a crash.", "error")
            toast.add_button("Recover").clicked.connect(partial(self.files.recover, left))
            toast.add_button("Discard").clicked.connect(left.discard)

    # Qt's calls

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.files.may_leave():
            event.ignore()
            return
        self.trainer.wait()
        self.panes.inspector.wait()
        self.files.wait()
        self.machine.wait()
        self.rules.wait()
        self.panes.constraints.wait()
        self.deploy.wait()
        if self._remember:
            self.panes.keep_sizes()
            QSettings().setValue("window/geometry", self.saveGeometry())
        self._collector.stop()
        self.document.forget()
        if self._recovery:
            self._recovery.close()
        event.accept()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        for url in event.mimeData().urls():
            if url.isLocalFile():
                self.show_workbench()
                self.files.take(Path(url.toLocalFile()))
        event.acceptProposedAction()

    # Putting together

    def _connect(self) -> None:
        document, canvas, palette = self.document, self.canvas, self.panes.palette_
        palette.chosen.connect(canvas.add_kind)
        palette.dragged.connect(canvas.drag_kind)
        palette.dropped.connect(canvas.drop_kind)
        palette.given_up.connect(canvas.end_drag)
        canvas.refused.connect(lambda words: self.toasts.say(words, "warning"))
        canvas.menu_wanted.connect(self._open_menu)
        canvas.opened.connect(lambda _name: self.panes.inspector.setFocus())
        canvas.zoom_changed.connect(self._show_zoom)
        canvas.empty.example_wanted.connect(self.open_examples)
        self.tools.search_wanted.connect(self.open_palette)
        self.machine.left.connect(self.leave_machine)
        self.rules.left.connect(self.show_workbench)
        self.panes.inspector.rules_wanted.connect(self.show_rules)
        self.panes.inspector.quantizing_wanted.connect(self.open_quantizing)
        self.panes.constraints.what_if_wanted.connect(self.show_what_if)
        self.panes.constraints.said.connect(self.toasts.say)
        self.gallery.chosen.connect(self.files.open)
        self.gallery.new_wanted.connect(self.files.new)
        self.gallery.open_wanted.connect(self.files.ask_and_open)
        self.files.opened.connect(self._take_run)
        self.files.opened.connect(self.show_workbench)
        document.changed.connect(self._follow_document)
        document.file_changed.connect(self._follow_document)
        document.selection_changed.connect(self._follow_document)

    # Commands of the window's own

    def paste(self) -> None:
        """Add what is on the clipboard; say why where it holds no nodes."""
        try:
            edits.paste(self.document)
        except PolybitError as error:
            self.toasts.say(str(error), "warning")

    def delete(self) -> None:
        """Remove the selected nodes, or the chosen wire."""
        edits.remove(self.document, self.document.selection, self.canvas.graph_scene.chosen)

    def rename(self) -> None:
        """Open a field over the title of the selected node."""
        for name in self.document.selection[-1:]:
            self.canvas.rename(name)

    def arrange(self) -> None:
        """Give every node a good place and show the whole graph."""
        edits.tidy(self.document)
        self.canvas.fit()

    def find_kind(self) -> None:
        """Put the cursor into the filter of the node list."""
        self.panes.palette_.show()
        self.panes.palette_.filter.setFocus()
        self.panes.palette_.filter.selectAll()

    def say_keys(self) -> None:
        """Show the keys and mouse gestures."""
        self.toasts.say(keys_words(), "plain")

    def say_about(self) -> None:
        """Show what this program is."""
        self.toasts.say(about_words(), "plain")

    def _open_menu(self, at: QPoint, name: str) -> None:
        wire = self.canvas.graph_scene.chosen is not None
        context_menu(self, self.actions_, node=bool(name), wire=wire).popup(at)

    def _take_run(self) -> None:
        """Forget the run of the project before; offer the earlier one of this project, where there is one."""
        self.trainer.forget()
        path = self.document.project.path
        if not path:
            return
        run, model = path.with_suffix(RUN_SUFFIX), path.with_suffix(".h5")
        if run.is_file():
            toast = self.toasts.say("This project was trained before.")
            toast.add_button("Show that run").clicked.connect(partial(self.trainer.restore, run))
            toast.add_button("Go on training").clicked.connect(self.training.go_on)
        elif model.is_file():
            toast = self.toasts.say(f"A trained model stands beside this project: {model.name}.")
            toast.add_button("Show it").clicked.connect(partial(self._show_model, model))

    def _show_model(self, path: Path) -> None:
        guarded = guards_of(self.document.graph, self.document.graph.order)
        self.panes.show_panel("constraints" if guarded else "weights")
        self.trainer.restore(path)

    def _popup_gone(self) -> None:
        self.popup = None

    def name_undo(self, what: str) -> None:
        """Say in the menu what Undo would undo."""
        self.actions_["undo"].setText(_with("&Undo", what))

    def name_redo(self, what: str) -> None:
        """Say in the menu what Redo would do again."""
        self.actions_["redo"].setText(_with("&Redo", what))

    # Following

    def _follow_document(self) -> None:
        document = self.document
        working = self.pages.currentWidget() in (self.panes, self.rules)
        self.setWindowTitle(f"{document.title}[*] – Polybit" if working else "Polybit[*]")
        self.setWindowModified(working and not document.clean)
        chosen = bool(document.selection)
        self.actions_.enable(
            copy=chosen,
            duplicate=chosen,
            rename=len(document.selection) == 1,
            fit_selection=chosen,
            save=working,
            save_as=working,
            arrange=working and bool(document.graph.nodes),
            widen=working and bool(document.graph.nodes),
        )

    def _show_zoom(self, zoom: float) -> None:
        self.status.show_zoom(zoom)

    def _fill_recent(self) -> None:
        fill_recent(self._recent, [str(p) for p in self.files.recent()], lambda n: self.files.open(Path(n)))

    def _take_place(self, *, remember: bool) -> None:
        self.setMinimumSize(900, 600)
        self.resize(1600, 1000)
        if not remember:
            return
        self.panes.take_sizes()
        geometry = QSettings().value("window/geometry")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)


def _with(verb: str, what: str) -> str:
    return f"{verb} {what[:1].lower()}{what[1:]}" if what else verb
