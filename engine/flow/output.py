"""Where a graph ends: which scores are the answer, and for which classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..node import Node, Predictor, ShapeError, Specs, wired
from ..ports import Arrays, Port, Spec


@dataclass(frozen=True)
class ClassifierOutput(Node):
    """answer = argmax over classes of the scores, which are logits; ties go to the first class.

    Where the data has several labels a record, each score is of a label of its own, which holds above 0.
    Training makes the loss between scores and labels small.
    """

    kind: ClassVar[str] = "flow.output"
    title: ClassVar[str] = "Classifier output"
    icon: ClassVar[str] = "ph.flag"
    order: ClassVar[int] = 90
    summary: ClassVar[str] = "Says which scores are the answer, and what is right"
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("scores", ("scores",), "One score a class; the largest is the answer, or those above 0"),
        Port("labels", ("labels",), "The right class or labels, from the data source or the split"),
    )

    def specs(self, *inputs: Spec | None) -> Specs:
        scores, labels = wired(inputs)
        count = len(labels.classes)
        if count < 2:
            words = "The data names no classes." if count == 0 else "The data names one class only."
            raise ShapeError(words, do="Choose labels in the data source.", port="labels")
        if len(scores.shape) != 1:
            words = f"The scores must be one row; they are {scores.words()}."
            raise ShapeError(words, do="Insert a Flatten.", port="scores")
        if scores.shape != (count,):
            words = f"There are {count} classes but {scores.elements} scores."
            do = f"Set Units of the layer that feeds it to {count}."
            raise ShapeError(words, do=do, port="scores")
        if labels.several and scores.several is False:
            words = "The data has several labels a record; what gives the scores decides one class."
            do = "Let a layer give them, or set Decides of a guard to several labels."
            raise ShapeError(words, do=do, port="scores")
        return ()

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        return lambda *arrays: ()
