"""The bit widths a layer can have, one row each; no other file branches on a bit count.

A width of levels is stored as bit planes: value = sum over planes of coefficient x bit. Weights of 2 to 8
bits are two's complement, ternary weights have a plane of +1 and a plane of -1, 1-bit weights have one
plane that says +1 or -1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Store = Literal["sign", "planes", "half", "single"]


@dataclass(frozen=True)
class Precision:
    """One way to store a number.

    Attributes:
        key: name in files.
        title: name in words.
        chip: short name on the node and in the segmented control's tooltip.
        short: name in the segmented control.
        bits: storage per number, in bits.
        store: `sign` (one bit, +1 or -1), `planes` (bit planes), `half` or `single` (IEEE 754).
        low: smallest level, 0 for floats.
        high: largest level, 0 for floats.
        coefficients: what each bit plane counts, lowest first; empty for sign and floats.
    """

    key: str
    title: str
    chip: str
    short: str
    bits: int
    store: Store
    low: int = 0
    high: int = 0
    coefficients: tuple[int, ...] = ()

    @property
    def is_float(self) -> bool:
        """Whether numbers are IEEE 754 floats rather than levels of a scale."""
        return self.store in ("half", "single")

    @property
    def binary(self) -> bool:
        """Whether a number is one bit that says +1 or -1."""
        return self.store == "sign"


def _twos_complement(bits: int) -> Precision:
    top = 1 << (bits - 1)
    coefficients = (*(1 << i for i in range(bits - 1)), -top)
    key = str(bits)
    return Precision(key, f"{key} bits", f"{key}b", key, bits, "planes", -top, top - 1, coefficients)


PRECISIONS: dict[str, Precision] = {
    row.key: row
    for row in (
        Precision("1", "1 bit", "1b", "1", 1, "sign", -1, 1),
        Precision("ternary", "Ternary", "1.58b", "T", 2, "planes", -1, 1, (1, -1)),
        *(_twos_complement(bits) for bits in (2, 3, 4, 8)),
        Precision("16", "16-bit float", "16b", "16", 16, "half"),
        Precision("32", "32-bit float", "32b", "32", 32, "single"),
    )
}
