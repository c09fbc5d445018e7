"""The product of a convolution in training: patches times quantized filters, forward and back.

The same product as `latent.Linear`, taken a piece of the batch at a time, so that the
matrix of patches stays small, and group by group.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from ..hardware import gradient_product
from ..kernels.floats import scale_here
from ..kernels.signed import signed_sums, transpose_bits
from ..levels import Quantized
from ..ports import F32, U64, Array, Arrays, words_for
from .conv_flips import map_differences
from .conv_layer import Kind
from .conv_packed import PackedMaps
from .conv_patches import Patches
from .conv_pieces import CHUNKS, Buffers, Pieces
from .flips import Units, is_plain
from .latent_weights import LatentWeights
from .linear import offset_shift
from .product import Activation, way


class Filters(LatentWeights):
    """The filters of one convolution in training."""

    def __init__(self, arrays: Arrays, kind: Kind, patches: Patches, batch: int) -> None:
        super().__init__(arrays, kind.precision, kind.quantizer, kind.estimator)
        self._patches = patches
        m, k = arrays["weight"].shape
        self._each = m // patches.groups
        count = batch * patches.window.places
        self._part_grads = np.empty((CHUNKS, m, k), np.float32)
        self._out = np.empty((count, m), np.float32)
        self._batch = batch
        self._grad_in = np.empty((batch, patches.window.length), np.float32)
        self._zero = np.zeros(m, np.float32)
        self._turned_weights = np.empty((patches.groups, k, words_for(self._each)), np.uint64)
        self._pieces, self._packed = Pieces(patches, m), PackedMaps(patches, m, batch)
        self._by_signs = False
        self._seen: Array | None = None

    def forward(self, seen: Array, activation: Activation, step: float, offset: float | None) -> F32:
        """Return the products, float32 (n * places, outputs), of quantized maps; a view of a buffer.

        Args:
            seen: float32 or int16 (n, ...), or packed signs (n, words).
            activation: the width of the maps.
            step: what one level counts.
            offset: what level 0 counts, and so what padding by 0 counts, or None for nothing.
        """
        self._step, self._offset = step, offset
        quantized = self._effective = self._quantized()
        xnor = self.moment.weights and not quantized.soft and way(self._row, activation) == "xnor"
        self._seen = seen if xnor else None
        if not xnor:
            self._patches.put(seen, self._maps[: len(seen)], packed=activation.row.binary)
        out = self._out[: len(seen) * self._patches.window.places]
        for i, part in enumerate(bases(quantized)):
            target = np.empty_like(out) if i else out
            scale = (part.scale * np.float32(step)).astype(np.float32)
            if xnor:
                self._whole_products(seen, part, scale, target)
            else:
                self._float_products(len(seen), part, scale, target)
            if part.offset is not None:
                self._add_row_sums(len(seen), part.offset * np.float32(step), target)
            if i:
                out += target
        if offset is not None:
            out += offset_shift(quantized, offset)
        return out

    def backward(self, grad: F32, *, maps_wanted: bool) -> F32 | None:
        """Return dL/d(step x level + offset), float32 (n, elements), or None where not wanted.

        Fills the gradient of the filters for `grad`, dL/d(products), float32 (n * places, outputs).
        """
        patches, quantized = self._patches, self._effective
        if quantized is None:
            raise RuntimeError("backward before forward")
        records, places = len(grad) // patches.window.places, patches.window.places
        alone = quantized.more is None and quantized.offset is None
        if self._seen is not None and alone and self._packed.serves(records):
            self._packed.filter_gradient(grad, self._grad)
            if maps_wanted:
                signs, scale = self._packed_signs(quantized), quantized.scale
                self._packed.map_gradient(grad, signs, scale, self._grad_in[:records])
            self._finish(grad)
            return self._grad_in[:records] if maps_wanted else None
        if maps_wanted:
            self._turn_weights(quantized)
        sums = self._part_grads[: self._pieces.count(records)]
        sums.fill(0)

        def run(chunk: int, piece: slice, buffers: Buffers) -> None:
            here = grad[piece.start * places : piece.stop * places]
            self._filter_gradient(piece, here, buffers, sums[chunk])
            if maps_wanted:
                self._map_gradient(piece, here, buffers)

        self._pieces.each(records, run)
        np.sum(sums, axis=0, out=self._grad)
        self._finish(grad)
        return self._grad_in[:records] if maps_wanted else None

    def differences(self, turned: Units) -> F32:
        """Return g of the signs of the last maps, float32 (n, elements), for the units that they move."""
        records = len(turned.at) // self._patches.window.places
        quantized, maps, out = self._effective, self._maps[:records], self._grad_in[:records]
        if quantized is None:
            raise RuntimeError("backward before forward")
        if self._seen is not None:
            self._patches.put(self._seen, maps, packed=True)
        one_size = self._row.binary and self.moment.weights and is_plain(quantized)
        map_differences(self._pieces, maps, quantized, turned, out, one_size=one_size)
        return out

    @cached_property
    def _maps(self) -> F32:
        """Hold padded maps as numbers, where the product is not of packed signs."""
        return self._patches.floats(self._batch)

    def _outputs(self, group: int) -> slice:
        return slice(group * self._each, (group + 1) * self._each)

    def _whole_products(self, seen: U64, part: Quantized, scale: F32, out: F32) -> None:
        patches = self._patches
        corrected = patches.pad == 0 and patches.window.pads
        missing = patches.missing(part.values) if corrected else None
        self._packed.products(seen, self._packed_signs(part), scale, out, missing)

    def _float_products(self, records: int, part: Quantized, scale: F32, out: F32) -> None:
        patches, places = self._patches, self._patches.window.places
        plain = bool((scale == 1).all())
        turned = np.ascontiguousarray(part.values.T) if patches.few else part.values.T

        def run(chunk: int, piece: slice, buffers: Buffers) -> None:
            target = out[piece.start * places : piece.stop * places]
            for group in range(patches.groups):
                if patches.few:
                    patches.dot(self._maps[piece], turned, target)
                    continue
                rows = patches.rows(self._maps[piece], group, buffers.rows)
                values = turned[:, self._outputs(group)]
                if patches.groups == 1:
                    np.matmul(rows, values, out=target)
                else:
                    target[:, self._outputs(group)] = rows @ values
            if not plain:
                scale_here(target, scale, self._zero)

        self._pieces.each(records, run)

    def _add_row_sums(self, records: int, offset: F32, out: F32) -> None:
        patches, places = self._patches, self._patches.window.places
        if self._seen is not None:
            patches.put(self._seen, self._maps[:records], packed=True)

        def run(chunk: int, piece: slice, buffers: Buffers) -> None:
            target = out[piece.start * places : piece.stop * places]
            for group in range(patches.groups):
                at = self._outputs(group)
                sums = patches.rows(self._maps[piece], group, buffers.rows).sum(axis=1)
                target[:, at] += np.outer(sums, offset[at])

        self._pieces.each(records, run)

    def _filter_gradient(self, piece: slice, grad: F32, buffers: Buffers, out: F32) -> None:
        """Add what a piece says of the filters to `out`, float32 (outputs, inputs)."""
        patches = self._patches
        if self._seen is None and patches.few:
            out += patches.dot_gradient(self._maps[piece], grad)
            return
        maps = self._maps[piece] if self._seen is None else patches.padded(self._seen[piece], packed=True)
        for group in range(patches.groups):
            at = self._outputs(group)
            here = grad if patches.groups == 1 else np.ascontiguousarray(grad[:, at])
            if self._seen is None:
                rows = patches.rows(maps, group, buffers.rows)
                gradient_product(here.T, rows, buffers.part, bfloat16=self.moment.bfloat16)
            else:
                bits = patches.rows(maps, group, buffers.bits)
                turned = buffers.turned[:, : words_for(len(bits))]
                transpose_bits(bits, patches.inputs, turned)
                signed_sums(here, turned, buffers.part)
            out[at] += buffers.part

    def _map_gradient(self, piece: slice, grad: F32, buffers: Buffers) -> None:
        """Write the gradient of the maps of a piece."""
        patches, window, target = self._patches, self._patches.window, self._grad_in[piece]
        maps = buffers.maps[: len(target)] if window.pads else target
        maps.fill(0)
        for group in range(patches.groups):
            at = self._outputs(group)
            here = grad if patches.groups == 1 else np.ascontiguousarray(grad[:, at])
            patches.fold(self._row_gradient(here, group, buffers), group, maps)
        if window.pads:
            window.crop(maps, target)

    def _row_gradient(self, grad: F32, group: int, buffers: Buffers) -> F32:
        """Return dL/d(patches), float32 (n, inputs), of one group."""
        at, quantized = self._outputs(group), self._effective
        if quantized is None:
            raise RuntimeError("backward before forward")
        d_rows = buffers.grad_rows[: len(grad)]
        for i, part in enumerate(bases(quantized)):
            scaled = np.multiply(grad, part.scale[at], out=buffers.scaled[: len(grad)])
            if self._by_signs:
                signed_sums(scaled, self._turned_weights[group], d_rows, turned=True)
            elif i == 0:
                gradient_product(scaled, part.values[at], d_rows, bfloat16=self.moment.bfloat16)
            else:
                d_rows += scaled @ part.values[at]
            if part.offset is not None:
                d_rows += (grad @ part.offset[at])[:, None]
        return d_rows

    def _turn_weights(self, quantized: Quantized) -> None:
        """Lay the signs of 1-bit filters by input, where sums under signs serve the way back."""
        self._by_signs = (
            self.moment.weights and self._row.binary and not quantized.soft and quantized.more is None
        )
        if not self._by_signs:
            return
        signs = self._packed_signs(quantized)
        for group in range(self._patches.groups):
            transpose_bits(signs[self._outputs(group)], self._patches.inputs, self._turned_weights[group])

    def _add_missing(self, grad: F32) -> None:
        """Add to the filters' gradient what packed patches took off where padding counts 0."""
        window = self._patches.window
        by_place = grad.reshape(-1, window.places, grad.shape[1]).sum(axis=0)
        lost = window.outside.T.astype(np.float32) @ by_place  # (taps, outputs)
        self._grad.reshape(len(self._grad), window.taps, -1)[...] += lost.T[:, :, None]

    def _finish(self, grad: F32) -> None:
        if self._seen is not None and self._patches.pad == 0 and self._patches.window.pads:
            self._add_missing(grad)
        self._grad *= np.float32(self._step)
        if self._offset:
            self._grad += np.float32(self._offset) * grad.sum(axis=0)[:, None]
        self._to_latent()


def bases(quantized: Quantized) -> Iterator[Quantized]:
    """Yield the bases that weights are the sum of."""
    part: Quantized | None = quantized
    while part is not None:
        yield part
        part = part.more
