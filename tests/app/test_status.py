"""The status bar: figures follow every edit, words follow every state."""

from __future__ import annotations

from pathlib import Path

from panel_runs import begun
from pytestqt.qtbot import QtBot

from app.panels.status import StatusPanel
from app.theme.figures import count, energy, size


def test_figures_are_those_of_the_estimate_after_every_edit(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path)
    panel = StatusPanel(document, trainer)
    qtbot.addWidget(panel)
    for bits in ("1", "8", "32"):
        document.edit("Bits", document.graph.change("hidden", weight_bits=bits))
        total = document.estimate().total
        for words in (size(total.weight_bytes), count(total.operations), energy(total.energy_pj)):
            assert words in panel.words
    assert "12 nodes, 17 wires" in panel.words


def test_problems_are_counted(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path)
    panel = StatusPanel(document, trainer)
    qtbot.addWidget(panel)
    assert "No problems" in panel.words
    document.edit("Cut", document.graph.unwire(next(w for w in document.graph.wires if w.target == "head")))
    assert "1 error" in panel.words
    document.undo.undo()
    assert "No problems" in panel.words


def test_states_are_said_in_words(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path)
    panel = StatusPanel(document, trainer)
    qtbot.addWidget(panel)
    assert "Ready" in panel.words
    trainer.start()
    assert "Preparing kernels" in panel.words
    qtbot.waitUntil(lambda: "Training on" in panel.words or "Ready" in panel.words, timeout=240_000)
    trainer.wait()
    assert "Ready" in panel.words
    panel.show_zoom(0.77)
    assert "Zoom 77 %" in panel.words
