"""The picture beside the accuracy: the loss, which class is taken for which, what goes on in each layer."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QStackedWidget, QWidget

from app.panels.metrics import MetricsView
from app.panels.segments import Segments
from app.plots.accuracy import LossChart
from app.plots.confusion import ConfusionChart

_CHOICES = {"loss": "Loss", "classes": "Classes", "layers": "Layers"}
_TIPS = {
    "loss": "Loss of every batch and epoch",
    "classes": "Which class is taken for which",
    "layers": "Flipped signs, dead channels and further figures of every layer",
}


class SecondPicture(QWidget):
    """Three pictures in one place, under the control that names and chooses them."""

    def __init__(self) -> None:
        super().__init__()
        self.loss, self.classes, self.layers = LossChart(), ConfusionChart(), MetricsView()
        self.loss.set_title(" ")
        self.choice = Segments(_CHOICES, _TIPS, "Second picture", small=True)
        self.choice.setFixedWidth(180)
        self.choice.show_value("loss")
        self.live: tuple[LossChart | MetricsView, ...] = (self.loss, self.layers)  # drawn while it trains
        self._pictures = QStackedWidget()
        for picture in (self.loss, self.classes, self.layers):
            self._pictures.addWidget(picture)
        one = QGridLayout(self)
        one.setContentsMargins(0, 0, 0, 0)
        one.addWidget(self._pictures, 0, 0)
        one.addWidget(self.choice, 0, 0, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        self.choice.chosen.connect(self.show_picture)

    def show_picture(self, key: str) -> None:
        """Bring a picture to the front: `loss`, `classes` or `layers`."""
        self.choice.show_value(key)
        for picture in self.live:
            picture.show_points()  # what came while it was out of sight
        self._pictures.setCurrentIndex(list(_CHOICES).index(key))
