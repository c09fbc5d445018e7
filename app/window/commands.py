"""The table of every command of the window."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QWidget

from app.canvas import edits
from app.canvas.view import CanvasView
from app.document import Document
from app.window.actions import Actions, Command
from app.window.deploy import DeployCommands
from app.window.files import FileCommands
from app.window.panes import Panes
from app.window.training import TrainingCommands
from app.worker import Trainer

_RULES = "Edit, check and try the rules"
_NARROW = "Give layers of floats 2 to 8 bits, without training; accuracy before and after is said"
_GROW, _JUMP = "ph.arrows-out-line-vertical", "ph.shield-warning"
_Keys = QKeySequence.StandardKey


class Workbench(Protocol):
    """The window as its commands see it."""

    document: Document
    trainer: Trainer
    panes: Panes
    canvas: CanvasView
    actions_: Actions
    files: FileCommands
    deploy: DeployCommands
    training: TrainingCommands

    def close(self) -> bool: ...
    def show_gallery(self) -> None: ...
    def show_machine(self) -> None: ...
    def show_rules(self) -> None: ...
    def jump_to_broken(self, by: int) -> None: ...
    def open_examples(self) -> None: ...
    def open_palette(self) -> None: ...
    def open_widening(self) -> None: ...
    def open_quantizing(self) -> None: ...
    def paste(self) -> None: ...
    def delete(self) -> None: ...
    def rename(self) -> None: ...
    def arrange(self) -> None: ...
    def find_kind(self) -> None: ...
    def say_keys(self) -> None: ...
    def say_about(self) -> None: ...
    def name_undo(self, what: str) -> None: ...
    def name_redo(self, what: str) -> None: ...


def add_commands(window: Workbench) -> None:
    """Make every action of the window."""
    window.actions_.add(*_files(window), *_edits(window), *_views(window), *_runs(window))
    undo, actions = window.document.undo, window.actions_
    undo.canUndoChanged.connect(actions["undo"].setEnabled)
    undo.canRedoChanged.connect(actions["redo"].setEnabled)
    undo.undoTextChanged.connect(window.name_undo)
    undo.redoTextChanged.connect(window.name_redo)
    actions.enable(
        undo=False, redo=False, pause=False, stop=False, export=False, predict=False, quantize=False
    )


def _files(window: Workbench) -> list[Command]:
    files = window.files
    return [
        Command("new", "&New", files.new, "ph.file-plus", (_Keys.New,)),
        Command("open", "&Open…", files.ask_and_open, "ph.folder-open", (_Keys.Open,)),
        Command("example", "Open an e&xample…", window.open_examples, "ph.flow-arrow"),
        Command("examples", "&Examples", window.show_gallery, "ph.squares-four"),
        Command("save", "&Save", files.save, "ph.floppy-disk", (_Keys.Save,)),
        Command("save_as", "Save &as…", files.save_as, "", (_Keys.SaveAs,)),
        Command("quit", "&Quit", window.close, "", (_Keys.Quit,)),
    ]


def _edits(window: Workbench) -> list[Command]:
    document, canvas = window.document, window.canvas
    copy, twice = partial(edits.copy, document), partial(edits.duplicate, document)
    return [
        Command("undo", "&Undo", document.step_back, "ph.arrow-u-up-left", (_Keys.Undo,)),
        Command("redo", "&Redo", document.step_on, "ph.arrow-u-up-right", ("Ctrl+Shift+Z", "Ctrl+Y")),
        Command("copy", "&Copy", copy, "ph.copy", (_Keys.Copy,), canvas=True),
        Command("paste", "&Paste", window.paste, "ph.clipboard", (_Keys.Paste,), canvas=True),
        Command("duplicate", "&Duplicate", twice, "ph.copy-simple", ("Ctrl+D",), canvas=True),
        Command("delete", "De&lete", window.delete, "ph.trash", ("Del", "Backspace"), canvas=True),
        Command(
            name="select_all",
            words="Select &all",
            run=lambda: document.select(document.graph.nodes),
            icon="ph.selection-all",
            keys=(_Keys.SelectAll,),
            canvas=True,
        ),
        Command("rename", "Re&name", window.rename, "ph.pencil-simple", ("F2",), canvas=True),
        Command("search", "&Search…", window.open_palette, "ph.magnifying-glass", ("Ctrl+K",)),
        Command(
            name="quick_add",
            words="&Add a node…",
            run=lambda: canvas.ask_for_node(canvas.pointer()),
            icon="ph.plus-circle",
            keys=("Ctrl+Space",),
        ),
        Command("filter", "&Find in the list", window.find_kind, "ph.funnel-simple", ("/",), canvas=True),
        Command("widen", "&Widen the hidden layers…", window.open_widening, "ph.arrows-out-line-horizontal"),
        Command("arrange", "A&rrange", window.arrange, "ph.tree-structure", ("Ctrl+L",)),
    ]


def _views(window: Workbench) -> list[Command]:
    canvas, panes = window.canvas, window.panes

    def zoom(times: float) -> None:
        canvas.set_zoom(canvas.zoom() * times)

    part = partial(canvas.fit, selection=True)
    return [
        Command("fit", "&Fit the graph", canvas.fit, "ph.corners-out", ("F",), canvas=True),
        Command("fit_selection", "Fit the &selection", part, "ph.frame-corners", ("Shift+F",), canvas=True),
        Command("zoom_in", "Zoom &in", partial(zoom, 1.25), "ph.magnifying-glass-plus", ("Ctrl++", "Ctrl+=")),
        Command("zoom_out", "Zoom &out", partial(zoom, 0.8), "ph.magnifying-glass-minus", ("Ctrl+-",)),
        Command("zoom_full", "Zoom to &100 %", lambda: canvas.set_zoom(1.0), "", ("Ctrl+0",)),
        Command("show_palette", "Show or hide &nodes", partial(_toggle, panes.palette_), "", ("Ctrl+1",)),
        Command("show_inspector", "Show or hide ins&pector", partial(_toggle, panes.side), "", ("Ctrl+2",)),
        Command("show_tabs", "Show or hide pane&ls", partial(_toggle, panes.tabs), "", ("Ctrl+3",)),
        Command("grow_tabs", "&More room for panels", panes.grow_tabs, _GROW, ("Ctrl+4",)),
        Command("next_broken", "Ne&xt broken rule", partial(window.jump_to_broken, 1), _JUMP, ("F8",)),
        Command("last_broken", "Broken rule &before", partial(window.jump_to_broken, -1), "", ("Shift+F8",)),
        Command("problems", "Show the &problems", partial(panes.show_panel, "problems"), "ph.warning-circle"),
        Command("rules", "&Rules", window.show_rules, "ph.shield-check", ("Ctrl+Shift+E",), hint=_RULES),
        Command("keys", "&Keys and mouse", window.say_keys, "ph.question", ("F1",)),
        Command("machine", "&This machine", window.show_machine, "ph.cpu"),
        Command("about", "&About Polybit", window.say_about, "ph.info"),
    ]


def _runs(window: Workbench) -> list[Command]:
    run, deploy = window.training, window.deploy
    return [
        Command("train", "&Train", run.start, "ph.play", ("Ctrl+R", "F5")),
        Command("pause", "&Pause", run.toggle_pause, "ph.pause", ("Ctrl+.",)),
        Command("stop", "&Stop", window.trainer.stop, "ph.stop", ("Shift+F5",)),
        Command(
            "quantize", "&Quantize the trained run…", window.open_quantizing, "ph.stack-simple", hint=_NARROW
        ),
        Command("export", "&Export the model…", deploy.export, "ph.export", ("Ctrl+E",)),
        Command("predict", "&Predict a data file…", deploy.predict, "ph.list-numbers"),
    ]


def _toggle(widget: QWidget) -> None:
    widget.setVisible(widget.isHidden())
