"""The ReActNet block: learned thresholds and shifts around a 3 x 3 and a 1 x 1 convolution of 1 bit."""

from __future__ import annotations

from ..bnn.batch_norm import BatchNorm
from ..bnn.rprelu import RPReLU
from ..bnn.rsign import RSign
from ..flow.add import Add
from ..flow.concatenate import Concatenate
from .convolutions import binary_conv, halved
from .sketch import End, Sketch
from .template import Size, template


@template(
    "reactnet",
    "ReActNet block",
    summary="RSign, 1-bit convolution, norm, shortcut and RPReLU, for 3 × 3 and then 1 × 1",
    citation="Liu et al. 2020, arXiv:2003.03488",
)
def reactnet(sketch: Sketch, feed: End | None, size: Size) -> End:
    """Draw the block; where channels double, two 1 x 1 convolutions with the same shortcut are joined."""
    spatial = _half(
        sketch, feed, binary=(size.channels, 3, size.stride), around=halved(sketch, feed, size.stride)
    )
    first = sketch.add("rprelu", RPReLU(), spatial)
    copies = [
        _half(sketch, first, binary=(size.channels, 1, 1), around=first)
        for _ in range(max(1, size.given // size.channels))
    ]
    joined = copies[0]
    for other in copies[1:]:
        joined = sketch.add("join", Concatenate(), joined, other)
    return sketch.add("rprelu", RPReLU(), joined)


def _half(sketch: Sketch, feed: End | None, *, binary: tuple[int, int, int], around: End | None) -> End:
    """Draw norm(conv(rsign(x))) + shortcut; `binary` is (filters, kernel, stride)."""
    filters, kernel, stride = binary
    signs = sketch.add("rsign", RSign(), feed)
    conv = binary_conv(filters, kernel=kernel, stride=stride, quantizer="magnitude_aware")
    normed = sketch.add("norm", BatchNorm(), sketch.add(f"conv {kernel}×{kernel}", conv, signs))
    return sketch.add("add", Add(), normed, around)
