"""Several labels a record in the window: the panels show labels, not classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from label_projects import LABELS, labelled
from panel_runs import run_to_end
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot

from app.document import Document
from app.panels.constraints import ConstraintsPanel
from app.panels.training import TrainingPanel
from app.plots.confusion import ConfusionChart
from app.worker import Trainer
from engine.look import LABELLED


def test_the_panels_of_a_training_show_labels(tmp_path: Path, qtbot: QtBot) -> None:
    document = Document(labelled(tmp_path, epochs=2))
    trainer = Trainer(document)
    rules, training = ConstraintsPanel(document, trainer), TrainingPanel(document, trainer)
    for panel in (rules, training):
        qtbot.addWidget(panel)
        panel.resize(1200, 500)
        panel.show()
    assert not [p for p in document.graph.problems() if p.level == "error"]
    run_to_end(qtbot, trainer)
    seen = trainer.look
    assert seen is not None
    assert seen.several
    chart = training.classes
    assert chart._columns() == LABELLED
    assert chart.accessibleName().startswith("Answers by label: ")
    assert not training.grab().isNull()
    first = seen.guard.cases[0]
    words = rules.details.words
    assert f"Record {first.record}: {first.said} → {first.fixed}" in words
    assert f"Raw answer: {first.said}" in words
    assert "Cheapest alternative" not in words
    raw = dict(zip(LABELS, first.picture.raw, strict=True))
    held = {name for name, p in raw.items() if p > 0.5}
    assert held == set(first.said.split(", ")) - {"no label"}
    assert not rules.grab().isNull()


def test_the_chart_of_labels_says_what_became_of_each(qtbot: QtBot) -> None:
    chart = ConfusionChart()
    qtbot.addWidget(chart)
    chart.resize(400, 300)
    chart.show_counts(("a", "b"), np.array([[5, 1, 2, 4], [0, 3, 0, 9]]), several=True)
    assert chart.accessibleName() == "Answers by label: 18 of 24 right"
    words = {chart.words_at(chart._rect(r, c).center()) for r in (0, 1) for c in range(4)}
    assert "a is found in 5 of 12 records" in words
    assert "b is missed in 3 of 12 records" in words
    assert chart.words_at(QPointF(1, 1)) == ""
    assert not chart.grab().isNull()
