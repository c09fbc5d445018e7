"""What travels on wires: port types, the spec of one wire, and the declared conversions between types.

Arrays by type, for n records (both in training and in a shipped model):

    real         float32 (n, *shape)
    bits         at 1 bit: uint64 (n, words), packed signs (kernels/bits.py); 2 to 8 and ternary: int16
                 (n, *shape), levels; 16 and 32: float32 (n, *shape)
    hypervector  uint64 (n, words), packed bits
    spikes       uint8 (n, steps, neurons), 0 or 1
    scores       float32 (n, classes), logits; -inf marks a class that is ruled out
    facts        float64 (n, columns); a column of categories holds their index, NaN is a gap
    labels       int64 (n,), the class; where a record has several labels, bit i for label i; -1 is unknown

Gradients are float32 in the shape of the spec, whatever the type.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .precision import PRECISIONS

F32 = npt.NDArray[np.float32]
I8 = npt.NDArray[np.int8]
I16 = npt.NDArray[np.int16]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]
Array = npt.NDArray[Any]
Arrays = dict[str, Array]

PortType = Literal["real", "bits", "hypervector", "spikes", "scores", "facts", "labels"]

# What may be read as what, and the words that the wire shows for it.
CONVERSIONS: dict[tuple[PortType, PortType], str] = {
    ("real", "scores"): "read as logits",
    ("scores", "real"): "read as numbers",
    ("bits", "real"): "read as numbers",
    ("hypervector", "bits"): "read as signs",
}


def words_for(elements: int) -> int:
    """Return how many 64-bit words hold `elements` bits."""
    return -(-elements // 64)


@dataclass(frozen=True)
class Column:
    """One column of facts: its name, and its categories in order (empty for numbers)."""

    name: str
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spec:
    """What one wire carries for one record.

    Attributes:
        type: the port type.
        shape: elements of one record; (classes,) for scores, () for labels, (steps, neurons) for spikes.
        precision: for bits, a key of PRECISIONS; 32 otherwise.
        step: for bits, the value of one level.
        low: for bits, the lowest level; levels of activations are unsigned where it is 0.
        classes: for scores and labels, the class names, () where they are not known.
        columns: for facts, the columns.
        several: for labels, whether each class is a label of its own, of which a record may have several
            (engine/label_sets.py); for scores, what a guard decided them as; None where that is not known.
    """

    type: PortType
    shape: tuple[int, ...] = ()
    precision: str = "32"
    step: float = 1.0
    low: int = 0
    classes: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    several: bool | None = None

    @property
    def elements(self) -> int:
        """Return the number of elements of one record."""
        return prod(self.shape)

    @property
    def packed(self) -> bool:
        """Whether the array holds packed 64-bit words."""
        return self.type == "hypervector" or (self.type == "bits" and PRECISIONS[self.precision].binary)

    @property
    def bits_per_element(self) -> int:
        """Return the bits one element takes; the canvas draws it as the thickness of the wire."""
        if self.type in ("hypervector", "spikes"):
            return 1
        return PRECISIONS[self.precision].bits if self.type == "bits" else 32

    def array(self, n: int) -> Array:
        """Return a zeroed array for `n` records."""
        if self.packed:
            return np.zeros((n, words_for(self.elements)), np.uint64)
        dtype = {"bits": np.int16, "spikes": np.uint8, "facts": np.float64, "labels": np.int64}
        floats = PRECISIONS[self.precision].is_float and self.type == "bits"
        return np.zeros((n, *self.shape), np.float32 if floats else dtype.get(self.type, np.float32))

    def words(self) -> str:
        """Return the spec in words for a message or a tooltip: `bits 8 x 8, 1 bit`."""
        shape = " × ".join(f"{s:,}".replace(",", "\u202f") for s in self.shape)
        width = f", {PRECISIONS[self.precision].title}" if self.type == "bits" else ""
        return f"{self.type} {shape}{width}".strip()


@dataclass(frozen=True)
class Port:
    """Where a wire ends.

    Attributes:
        name: unique among the inputs, or among the outputs, of its kind.
        accepts: the types an input takes without a conversion, or the one type an output gives.
        help: one line.
        required: whether an input must be wired.
    """

    name: str
    accepts: tuple[PortType, ...]
    help: str
    required: bool = True

    def takes(self, given: PortType) -> bool:
        """Whether a wire of type `given` may end here, with a declared conversion or without."""
        return given in self.accepts or self.conversion(given) is not None

    def conversion(self, given: PortType) -> PortType | None:
        """Return the accepted type that `given` is converted to, or None where none is needed or known."""
        if given in self.accepts:
            return None
        return next((to for to in self.accepts if (given, to) in CONVERSIONS), None)
