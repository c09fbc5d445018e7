"""Accuracy and loss of a run, live."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.plots.curves import Curve, Curves


class AccuracyChart(Curves):
    """Accuracy on training and validation records, in percent, by epoch."""

    def __init__(self, parent: QWidget | None = None) -> None:
        curves = {
            "train": Curve("training", "accent"),
            "validation": Curve("validation", "spikes"),
            "teacher": Curve("teacher", "low", dashed=True),
            "own": Curve("this stage", "spikes", dashed=True),
        }
        super().__init__("Accuracy by epoch", "Accuracy, %", curves, parent)


class LossChart(Curves):
    """Loss of every batch, faint, and its mean over every epoch, on a logarithmic axis."""

    def __init__(self, parent: QWidget | None = None) -> None:
        curves = {
            "batch": Curve("batches", "accent", thin=True),
            "epoch": Curve("epoch mean", "accent"),
        }
        super().__init__("Loss by epoch", "Loss", curves, parent, decades=True)
