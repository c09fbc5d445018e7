"""Which records train, which validate, which test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..fields import choice, real, whole
from ..node import Node, Operator, Predictor, ShapeError, Specs, wired
from ..ports import F32, I64, Array, Arrays, Port, Spec
from ..records import no_facts

TRAIN, VALIDATION, TEST = 0, 1, 2
TEST_PARTS = {"random": "Drawn at random", "last": "The last records of the file"}


@dataclass(frozen=True)
class Split(Node):
    """Parts the records into training, validation and test; the records themselves pass through unchanged.

    The draw is stratified: of every class each part gets its share, to within one record, and over all
    classes the parts have their shares to within one record. Weights are found on the training part, the
    epoch's accuracy on the validation part, the final figure on the test part, which nothing else looks at.

    Attributes:
        train: share of the training part, in percent.
        validation: share of the validation part, in percent.
        test: share of the test part, in percent.
        test_part: whether the test part is drawn like the others, or is the end of the file.
        seed: where the draw starts.
    """

    kind: ClassVar[str] = "flow.split"
    title: ClassVar[str] = "Split"
    icon: ClassVar[str] = "ph.git-fork"
    order: ClassVar[int] = 20
    passes: ClassVar[str] = "samples"
    summary: ClassVar[str] = "Parts records into training, validation and test, evenly by class"
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("samples", ("real",), "The records"),
        Port("labels", ("labels",), "Their classes"),
        Port("facts", ("facts",), "Their facts", required=False),
    )
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("samples", ("real",), "The records"),
        Port("labels", ("labels",), "Their classes"),
        Port("facts", ("facts",), "Their facts"),
    )

    train: float = real(70.0, 0.001, 100.0, "Records that weights are found on", unit="%")
    validation: float = real(10.0, 0.0, 99.0, "Records that every epoch is judged on", unit="%")
    test: float = real(20.0, 0.0, 99.0, "Records that the finished model is judged on, once", unit="%")
    test_part: str = choice("random", TEST_PARTS, "Where the test records come from")
    seed: int = whole(0, 0, 2**31 - 1, "Where the draw starts; the same seed gives the same parts")

    def specs(self, *inputs: Spec | None) -> Specs:
        samples, labels = wired(inputs[:2])
        total = self.train + self.validation + self.test
        if abs(total - 100.0) > 1e-6:
            words = f"The shares add up to {total:.6g} %, not 100 %."
            raise ShapeError(words, do="Change one of them.", parameter="train")
        return (samples, labels, inputs[2] or Spec("facts", (0,)))

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        return _passed

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        return SplitOperator(weights)

    def rows(self) -> tuple[tuple[str, str], ...]:
        shares = " / ".join(f"{share:.3g}" for share in (self.train, self.validation, self.test))
        return (
            ("Shares", f"{shares} %"),
            ("Test", "last records" if self.test_part == "last" else "at random"),
        )


class SplitOperator(Operator):
    """The split in training: it passes records on and gradients back."""

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        return _passed(*inputs)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        return (grads[0], None, None)


def assign(node: Split, labels: I64) -> npt.NDArray[np.int8]:
    """Return the part of each record, int8 (n,): TRAIN, VALIDATION or TEST.

    The same node and labels give the same parts on every machine.

    Args:
        node: the shares, the seed and where the test part is.
        labels: int64 (n,), the classes of all records in file order; -1 counts as a class of its own.
    """
    n = len(labels)
    parts = np.full(n, TRAIN, np.int8)
    rest, tests = n, node.test
    if node.test_part == "last":
        rest = n - round(n * node.test / 100.0)
        parts[rest:] = TEST
        tests = 0.0
    rng = np.random.default_rng(node.seed)
    left = node.train + node.validation + tests
    seen = given_tests = given_validations = 0
    _, counts = np.unique(labels[:rest], return_counts=True)
    ordered = np.argsort(labels[:rest], kind="stable")
    for mine in np.split(ordered, np.cumsum(counts)[:-1]):
        rows = rng.permutation(mine)
        seen += len(rows)
        # What is due to the parts after this class, less what they have: errors never add up.
        test_count = min(len(rows), max(0, round(seen * tests / left) - given_tests))
        due = round(seen * node.validation / left) - given_validations
        count = min(len(rows) - test_count, max(0, due))
        parts[rows[:test_count]] = TEST
        parts[rows[test_count : test_count + count]] = VALIDATION
        given_tests += test_count
        given_validations += count
    return parts


def _passed(samples: Array, labels: Array, facts: Array | None) -> tuple[Array, ...]:
    return (samples, labels, no_facts(len(samples)) if facts is None else facts)
