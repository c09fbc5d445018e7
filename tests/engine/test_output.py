"""Classifier output: it takes one score a class and says what to do otherwise."""

from __future__ import annotations

import pytest

from engine.flow.output import ClassifierOutput
from engine.node import ShapeError
from engine.ports import Spec

LABELS = Spec("labels", (), classes=("a", "b", "c"))


def test_one_score_a_class_fits() -> None:
    assert ClassifierOutput().specs(Spec("scores", (3,)), LABELS) == ()
    assert ClassifierOutput().predictor({})(None, None) == ()


@pytest.mark.parametrize(
    ("scores", "labels", "words", "port"),
    [
        (
            (7,),
            LABELS,
            r"There are 3 classes but 7 scores. Set Units of the layer that feeds it to 3\.",
            "scores",
        ),
        ((3, 1), LABELS, "must be one row", "scores"),
        ((3,), Spec("labels"), "names no classes", "labels"),
        ((1,), Spec("labels", (), classes=("a",)), "one class only", "labels"),
    ],
)
def test_other_scores_are_refused_with_what_to_do(scores, labels, words: str, port: str) -> None:
    with pytest.raises(ShapeError, match=words) as caught:
        ClassifierOutput().specs(Spec("scores", scores), labels)
    assert caught.value.port == port
