"""What a program says of records: scores, labels, broken rules."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..guard import Guarded
from ..label_sets import Bools, held, name_of
from ..ports import F32, I64


@dataclass(frozen=True)
class Answer:
    """What a program says of n records.

    Attributes:
        classes: the class names.
        scores: float32 (n, classes), logits after the rules; -inf where a class is ruled out.
        raw_scores: the same before the rules.
        labels: int64 (n,), the answer; -1 where the rules allow none. Of several labels bit i is label i.
        raw_labels: int64 (n,), the answer before the rules.
        rules: the names of the rules, in order; () without a rules node.
        broken: bool (n, rules), which rules the raw answer broke.
        left: bool (n, rules), which rules the answer still breaks (soft ones, or any where labels is -1).
        status, engine: text (n,), what is known of the answer (`allowed`, `optimal`, `feasible, not proven`,
            `unknown`, `none`) and what gave it; "" without a rules node.
        several: whether each class is a label of its own, of which a record may have several.
        guarded: what arrived at the guard with the rules and what it gave, where that was asked for.
    """

    classes: tuple[str, ...]
    scores: F32
    raw_scores: F32
    labels: I64
    raw_labels: I64
    rules: tuple[str, ...]
    broken: npt.NDArray[np.bool_]
    left: npt.NDArray[np.bool_]
    status: npt.NDArray[np.str_]
    engine: npt.NDArray[np.str_]
    several: bool = False
    guarded: Guarded | None = None

    @property
    def held(self) -> Bools:
        """Return which labels hold of several, bool (n, classes)."""
        return held(self.labels, len(self.classes))

    @property
    def raw_held(self) -> Bools:
        """Return which labels held of several before the rules, bool (n, classes)."""
        return held(self.raw_labels, len(self.classes))

    @property
    def violations_raw(self) -> int:
        """Return how many records' raw answer broke a rule."""
        return int(self.broken.any(1).sum())

    @property
    def violations(self) -> int:
        """Return how many records' answer breaks a rule."""
        return int(self.left.any(1).sum())

    def name(self, label: int) -> str:
        """Return the class name of a label, or the names of several; `none` for -1."""
        return name_of(label, self.classes, several=self.several) if label >= 0 else "none"
