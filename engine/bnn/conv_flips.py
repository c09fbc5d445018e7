"""What turned signs of maps do to the units behind a convolution: `flips.row_differences` over patches."""

from __future__ import annotations

from ..levels import Quantized
from ..ports import F32
from .conv_pieces import Buffers, Pieces
from .flips import Units, counted, row_differences


def map_differences(
    pieces: Pieces, maps: F32, quantized: Quantized, units: Units, out: F32, *, one_size: bool
) -> None:
    """Write g of the signs of maps into `out`, float32 (n, elements without padding).

    A sign stands in several patches, and so is read by several units of a filter: what each of them says is
    added up.

    Args:
        pieces: how a batch is cut.
        maps: float32 (n, elements), padded maps of signs.
        quantized: the filters.
        units: what their products, (n * places, outputs), lead to.
        out: written.
        one_size: whether all weights of a filter are of one size, `quantized.scale`.
    """
    patches = pieces.patches
    window, each = patches.window, len(quantized.scale) // patches.groups
    weights = quantized.values if one_size else counted(quantized)

    def run(chunk: int, piece: slice, buffers: Buffers) -> None:
        target = out[piece]
        padded = buffers.maps[: len(target)] if window.pads else target
        padded.fill(0)
        places = slice(piece.start * window.places, piece.stop * window.places)
        for group in range(patches.groups):
            at = slice(group * each, (group + 1) * each)
            rows = patches.rows(maps[piece], group, buffers.rows)
            here = Units(
                units.at[places, at], units.grad[places, at], units.slopes[:, at], units.rest[places, at]
            )
            sizes = quantized.scale[at] if one_size else None
            found = buffers.grad_rows[: len(rows)]
            row_differences(rows, weights[at], sizes, here, found)
            patches.fold(found, group, padded)
        if window.pads:
            window.crop(padded, target)

    pieces.each(len(out), run)
