"""What training asks of several labels a record, and how many of them are answered rightly."""

from __future__ import annotations

from ..errors import TrainError
from ..graph import Graph
from ..label_sets import right_share
from ..losses import LOSSES, SEVERAL
from ..records import Records
from ..runtime.answer import Answer
from ..settings import Training
from .plan import several_labels


def check_several(graph: Graph, settings: Training) -> None:
    """Refuse settings that are for one class a record where `graph` answers several labels.

    Raises:
        TrainError: the loss or the teacher is.
    """
    if not several_labels(graph):
        return
    if settings.loss not in SEVERAL:
        there = " or ".join(LOSSES[key] for key in SEVERAL)
        words = f"{LOSSES[settings.loss]} is of one class a record; these records have several labels."
        raise TrainError(words, do=f"Set Loss to {there}.")
    if settings.teacher != "none":
        words = "A teacher is followed in one class a record; these records have several labels."
        raise TrainError(words, do="Set Teacher to none.")


def right_labels(answer: Answer, records: Records) -> float:
    """Return the share of all labels that are as they are answered; NaN where a record has one class."""
    if not answer.several:
        return float("nan")
    return right_share(answer.labels, records.labels, len(answer.classes))
