"""A finished training of the small hybrid, for panels to show."""

from pathlib import Path

from pytestqt.qtbot import QtBot
from small_projects import hybrid

from app.document import Document
from app.worker import Trainer

WAIT = 240_000  # ms; kernels may have to be compiled first


def begun(folder: Path, **settings: object) -> tuple[Document, Trainer]:
    """Return a document of the small hybrid and its trainer, which has not begun."""
    document = Document(hybrid(folder, **settings))  # type: ignore[arg-type]
    return document, Trainer(document)


def run_to_end(qtbot: QtBot, trainer: Trainer) -> None:
    """Train until the last word is said."""
    with qtbot.waitSignal(trainer.over, timeout=WAIT):
        trainer.start()
