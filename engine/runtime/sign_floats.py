"""Float layers that 1-bit numbers enter: sums under packed signs, and what stands behind, in one step."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from ..fusion import Affine, SignSums
from ..kernels import alone as codes
from ..kernels.sign_labels import MOST, lay_ints
from ..kernels.sign_labels import SIDE as SIDES
from ..kernels.sign_sums import LANES, SIDE, by_lanes, by_sides, sign_table, sums_of_many, sums_of_one
from ..kernels.vectors import COMPILED
from ..ports import F32, words_for
from .alone import Layout, writes
from .steps import Bound, Call, Slots, Step, reads_of

_MOST = 24  # outputs; more fill the vectors of a row better
_FEW = 6  # rows, up to which one at a time is faster than 16
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class SignFloats:
    """Packed signs through a float layer, and a scale and shift behind it, to floats.

    Attributes:
        values_t: float32 (inputs, outputs).
        affine: float32 (times, 2, outputs), scales and shifts, one after another.
    """

    nodes: tuple[str, ...]
    values_t: F32
    affine: F32
    read: int
    write: int
    words: str = "Signs to floats: weights summed under them in fixed order, scaled and shifted"
    kernel: str = "float sums, signs"

    @property
    def nbytes(self) -> tuple[int, int]:
        return self.values_t.nbytes + self.affine.nbytes, 4 * self.values_t.shape[1]

    @property
    def finite(self) -> bool:
        """Whether no record's output is infinite or not a number, half the range kept in reserve."""
        most = np.abs(self.values_t.astype(np.float64)).sum(0)
        for scale, shift in np.abs(self.affine.astype(np.float64)):
            most = np.maximum(most, most * scale + shift)
        return bool((most < _LARGEST / 2).all())

    def bind(self, batch: int) -> Bound:
        inputs, outputs = self.values_t.shape
        signs, affine = np.array([-1, 1], np.float32), self.affine
        lanes, sums = by_lanes(self.values_t), np.empty(-(-outputs // LANES) * LANES, np.float32)
        many = batch > _FEW
        sides = by_sides(self.values_t) if many else lanes
        table = sign_table() if many else np.empty(0, np.uint8)
        room = np.empty(LANES * (64 + -(-outputs // SIDE) * SIDE), np.float32)
        buffer = np.empty((batch, outputs), np.float32)
        read, write = self.read, self.write

        def run(slots: Slots, n: int) -> None:
            out = buffer if n == batch else buffer[:n]
            left = n % LANES
            whole = n if left > _FEW else n - left
            if whole:
                sums_of_many(slots[read][:whole], inputs, sides, table, affine, room, out[:whole])
            if whole < n:
                sums_of_one(slots[read][whole:], inputs, lanes, signs, affine, sums, out[whole:])
            slots[write] = out

        return run


def summed(steps: list[Step], wanted: tuple[int, ...]) -> list[Step]:
    """Return the steps with every small float layer of packed signs, and the norm behind it, in one."""
    if not COMPILED:
        return steps
    reads = Counter(place for step in steps for place in reads_of(step)) + Counter(wanted)
    out: list[Step] = []
    for step in steps:
        made = None
        if isinstance(step, Call) and isinstance(step.function, SignSums):
            made = _made(step, step.function)
        before = out[-1] if out else None
        if isinstance(step, Call) and isinstance(before, SignFloats) and reads[before.write] == 1:
            made = _then(before, step)
            out[-1:] = [before] if made is None else []
        out.append(step if made is None else made)
    return out


def _made(call: Call, layer: SignSums) -> SignFloats | None:
    read = call.reads[0]
    if read is None or layer.values_t.shape[1] > _MOST:
        return None
    after = np.stack([layer.after.scale, layer.after.shift]).astype(np.float32)[None]
    return SignFloats(call.nodes, layer.values_t, after, read, call.writes[0])


def _then(before: SignFloats, call: Call) -> SignFloats | None:
    """Return the layer with the scales and shifts of the step behind it, where that is all it does."""
    outputs = before.values_t.shape[1]
    parts = [part for part in call.parts if isinstance(part, Affine) and len(part.scale) == outputs]
    if not parts or len(parts) != len(call.parts) or call.reads != (before.write,):
        return None
    more = np.array([(part.scale, part.shift) for part in parts], np.float32)
    nodes = (*before.nodes, *call.nodes)
    affine = np.concatenate([before.affine, more])
    return SignFloats(nodes, before.values_t, affine, before.read, call.writes[0])


@writes(SignFloats)
def _sign_floats(step: SignFloats, layout: Layout) -> bool:
    inputs, outputs = step.values_t.shape
    lanes = by_lanes(step.values_t)
    held = layout.hold(lanes), layout.hold(np.array([-1, 1], np.float32))
    affine = layout.hold(step.affine), len(step.affine)
    room = layout.room(4 * len(lanes) // max(1, inputs))
    n, write = words_for(inputs), (step.write, np.float32)
    if step.write == layout.scores and step.finite and inputs <= MOST:
        ints, scale = lay_ints(step.values_t)
        more = layout.hold(ints), len(ints), layout.hold(scale), *affine, layout.room(24 * (outputs + SIDES))
        layout.write(codes.SURE_LABEL, step.read, None, n, outputs, inputs, *more)
    layout.write(codes.SIGN_FLOATS, step.read, write, n, outputs, inputs, *held, *affine, room)
    return True
