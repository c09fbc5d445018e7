"""The steps of a compiled program: each reads slots, writes one, and is bound once to buffers for a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..errors import DataError
from ..fusion import LargestOf, WholeProduct
from ..kernels.floats import bytes_over_largest, over_largest
from ..kernels.fused import all_finite, compare_pack, count_levels, look_up, look_up_bytes
from ..node import Predictor
from ..ports import F32, I16, I32, U8, U64, Array
from .thresholds import Thresholds, in_int32

Slots = list[Any]
Bound = Callable[[Slots, int], None]  # slots, and how many of the batch's records are there


class NotFiniteError(Exception):
    """A sample is infinite or not a number, for which thresholds do not speak; the floats do."""


class Step(Protocol):
    """One step.

    Attributes:
        words: what it does, for the user.
        nodes: the names of the nodes it serves.
    """

    @property
    def words(self) -> str: ...
    @property
    def nodes(self) -> tuple[str, ...]: ...
    @property
    def kernel(self) -> str:
        """Return the key of its kernel."""

    @property
    def nbytes(self) -> tuple[int, int]:
        """Return the bytes of what it holds, and of its output for one record."""

    def bind(self, batch: int) -> Bound:
        """Return it with buffers for up to `batch` records."""


@dataclass(frozen=True)
class Call:
    """A node's own predictor, on whole arrays.

    Attributes:
        nodes: the node.
        function: arrays in, arrays out.
        reads: the slots it takes; None for an input that is not wired.
        writes: the slots it fills.
        kernel: what the user is told it takes.
        words: what it does.
        parts: what `function` does one after another, where it is a chain.
    """

    nodes: tuple[str, ...]
    function: Predictor
    reads: tuple[int | None, ...]
    writes: tuple[int, ...]
    words: str
    kernel: str = "arrays"
    nbytes: tuple[int, int] = (0, 0)
    parts: tuple[Callable[[Array], Array], ...] = ()

    def bind(self, batch: int) -> Bound:
        function, reads, writes = self.function, self.reads, self.writes

        def run(slots: Slots, n: int) -> None:
            with np.errstate(over="ignore", invalid="ignore"):  # an answer is judged by its scores
                given = function(*(None if i is None else slots[i] for i in reads))
            for place, array in zip(writes, given, strict=True):
                slots[place] = array

        return run


@dataclass(frozen=True)
class Rescale:
    """Samples, each record over its largest size.

    Attributes:
        shape: of a record.
    """

    nodes: tuple[str, ...]
    read: int
    write: int
    shape: tuple[int, ...]
    words: str = "Samples over the largest of their record"
    kernel: str = "scale"

    @property
    def nbytes(self) -> tuple[int, int]:
        return 0, 4 * int(np.prod(self.shape))

    def bind(self, batch: int) -> Bound:
        read, write = self.read, self.write
        buffer = np.empty((batch, *self.shape), np.float32)
        flat = buffer.reshape(batch, -1)

        def run(slots: Slots, n: int) -> None:
            samples = slots[read]
            scaled = bytes_over_largest if samples.dtype == np.uint8 else over_largest
            scaled(samples.reshape(n, -1), flat if n == batch else flat[:n])
            slots[write] = buffer if n == batch else buffer[:n]

        return run


@dataclass(frozen=True)
class Sums:
    """The whole sums of a layer."""

    nodes: tuple[str, ...]
    product: WholeProduct
    read: int
    write: int

    @property
    def words(self) -> str:
        return self.product.why

    @property
    def kernel(self) -> str:
        return self.product.how

    @property
    def nbytes(self) -> tuple[int, int]:
        return self.product.nbytes, 4 * int(np.prod(self.product.shape))

    def bind(self, batch: int) -> Bound:
        into, read, write = self.product.into, self.read, self.write
        buffer = np.empty((batch, *self.product.shape), np.int32)

        def run(slots: Slots, n: int) -> None:
            out = buffer if n == batch else buffer[:n]
            into(slots[read], out)
            slots[write] = out

        return run


@dataclass(frozen=True)
class Compare:
    """Numbers to packed bits, by one threshold each.

    Attributes:
        places: int32, int16 or float32 (elements,), in the type of what is compared.
        flips: uint64 (words,).
        floats: whether what is compared are samples, which may be infinite.
    """

    nodes: tuple[str, ...]
    read: int
    write: int
    places: I32 | I16 | F32
    flips: U64
    floats: bool = False
    words: str = "Sums to packed bits by one threshold each, found from the floats between the layers"
    kernel: str = "compare and pack"

    @property
    def nbytes(self) -> tuple[int, int]:
        return self.places.nbytes + self.flips.nbytes, self.flips.nbytes

    def bind(self, batch: int) -> Bound:
        read, write, floats = self.read, self.write, self.floats
        places: I32 | U8 | I16 | F32 = self.places
        flips = self.flips
        buffer = np.empty((batch, len(flips)), np.uint64)
        if places.dtype == np.int16:  # of bytes
            places, flips = in_bytes(places, flips)

        def run(slots: Slots, n: int) -> None:
            out = buffer if n == batch else buffer[:n]
            rows = slots[read].reshape(n, -1)
            if floats and not all_finite(rows):
                raise NotFiniteError
            compare_pack(rows, places, flips, out)
            slots[write] = out

        return run


def in_bytes(places: Array, flips: U64) -> tuple[U8, U64]:
    """Return thresholds of bytes as bytes: what no byte reaches, all reach turned round."""
    never = places > 255
    turned = np.zeros(8 * len(flips), np.uint8)
    turned[: -(-len(never) // 8)] = np.packbits(never, bitorder="little")
    return np.where(never, 0, places.clip(0, 255)).astype(np.uint8), flips ^ turned.view(np.uint64)


@dataclass(frozen=True)
class PoolSigns:
    """The OR of windows of packed signs; where a sign falls as the pooled value grows, turned round.

    Attributes:
        pool: whose windows they are.
        turned: uint64 (words,), the outputs that are turned round.
    """

    nodes: tuple[str, ...]
    read: int
    write: int
    pool: LargestOf
    turned: U64
    words: str = "The OR of each window's packed signs, or their AND"
    kernel: str = "pooled bits"

    @property
    def nbytes(self) -> tuple[int, int]:
        return self.turned.nbytes, self.turned.nbytes

    def bind(self, batch: int) -> Bound:
        signs, turned, read, write = self.pool.signs, self.turned, self.read, self.write
        turns = bool(turned.any())

        def run(slots: Slots, n: int) -> None:
            out = signs(slots[read])
            slots[write] = np.bitwise_xor(out, turned, out=out) if turns else out

        return run


@dataclass(frozen=True)
class Count:
    """Sums to levels: how many thresholds each has reached.

    Attributes:
        found: the thresholds.
        shape: of one record's levels.
    """

    nodes: tuple[str, ...]
    read: int
    write: int
    found: Thresholds
    shape: tuple[int, ...]
    words: str = "Sums to levels by counted thresholds, found from the floats between the layers"
    kernel: str = "compare and count"

    @property
    def nbytes(self) -> tuple[int, int]:
        return 4 * self.found.places.size, 2 * int(np.prod(self.shape))

    def bind(self, batch: int) -> Bound:
        read, write, lowest = self.read, self.write, self.found.lowest
        places, falls = in_int32(self.found.places), self.found.falls.astype(np.uint8)
        buffer = np.empty((batch, *self.shape), np.int16)
        flat = buffer.reshape(batch, -1)

        def run(slots: Slots, n: int) -> None:
            count_levels(slots[read].reshape(n, -1), places, falls, lowest, flat[:n])
            slots[write] = buffer[:n]

        return run


@dataclass(frozen=True)
class LookUp:
    """Sums to floats from a table of all that can come.

    Attributes:
        table: float32 (elements, sums).
        sums: what a sum can be.
        shape: of one record's floats.
    """

    nodes: tuple[str, ...]
    read: int
    write: int
    table: F32
    sums: range
    shape: tuple[int, ...]
    words: str = "Sums to scores from a table of every sum there can be"
    kernel: str = "table"

    @property
    def nbytes(self) -> tuple[int, int]:
        return self.table.nbytes, 4 * int(np.prod(self.shape))

    def bind(self, batch: int) -> Bound:
        read, write, table = self.read, self.write, self.table
        first, step = self.sums.start, self.sums.step
        buffer = np.empty((batch, *self.shape), np.float32)
        flat = buffer.reshape(batch, -1)

        def run(slots: Slots, n: int) -> None:
            look_up(slots[read].reshape(n, -1), first, step, table, flat[:n])
            slots[write] = buffer[:n]

        return run


@dataclass(frozen=True)
class Bytes:
    """Samples of 8 bits to levels or floats, from a table of all 256.

    Attributes:
        table: int16, uint8 or float32 (256,).
        shape: of one record's levels.
    """

    nodes: tuple[str, ...]
    read: int
    write: int
    table: I16 | U8 | F32
    shape: tuple[int, ...]
    words: str = "Samples of 8 bits to numbers from a table of all 256"
    kernel: str = "table"

    @property
    def nbytes(self) -> tuple[int, int]:
        return self.table.nbytes, self.table.itemsize * int(np.prod(self.shape))

    def bind(self, batch: int) -> Bound:
        read, write, table = self.read, self.write, self.table
        buffer = np.empty((batch, *self.shape), table.dtype)
        flat = buffer.reshape(batch, -1)

        def run(slots: Slots, n: int) -> None:
            samples: U8 = slots[read]
            look_up_bytes(samples.reshape(n, -1), table, flat[:n])
            slots[write] = buffer[:n]

        return run


def reads_of(step: Step) -> tuple[int, ...]:
    """Return the slots that a step takes."""
    if isinstance(step, Call):
        return tuple(place for place in step.reads if place is not None)
    read = getattr(step, "read", None)
    return () if read is None else (read,)


def writes_of(step: Step) -> tuple[int, ...]:
    """Return the slots that a step fills."""
    if isinstance(step, Call):
        return step.writes
    write = getattr(step, "write", None)
    return () if write is None else (write,)


def check_scores(scores: F32, raw: F32) -> None:
    """Refuse NaN and infinite scores; the rules alone may write -inf, over a score that was a number.

    Raises:
        DataError: a record has such scores.
    """
    whole = np.isfinite(raw).all(1) & (np.isfinite(scores) | np.isneginf(scores)).all(1)
    if not whole.all():
        raise DataError(
            "Its scores are not finite numbers.",
            where=f"record {int(np.argmin(whole)) + 1}",
            do="The record is too far from those the model was trained on, or the model is damaged.",
        )
