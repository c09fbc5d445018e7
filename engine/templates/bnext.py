"""The BNext block: element attention over a 3 x 3 convolution, then 1 x 1, both with Info-Recoupling."""

from __future__ import annotations

from ..bnn.batch_norm import BatchNorm
from ..bnn.info_recoupling import InfoRecoupling
from ..bnn.prelu import PReLU
from ..bnn.rsign import RSign
from ..flow.add import Add
from ..flow.concatenate import Concatenate
from ..flow.multiply import Multiply
from .convolutions import binary_conv, halved
from .sketch import End, Sketch
from .template import Size, template

_CLIP = "clipped_1_5"


@template(
    "bnext",
    "BNext block",
    summary="Element attention and Info-Recoupling around a 3 × 3 and a 1 × 1 convolution of 1 bit",
    citation="Guo et al. 2022, arXiv:2211.12933",
)
def bnext(sketch: Sketch, feed: End | None, size: Size) -> End:
    """Draw the block (hpi-xnor/BNext, src/bnext.py); where channels double, two 1 x 1 parts are joined."""
    spatial = _attention(sketch, feed, size)
    joined = _pointwise(sketch, spatial, size.channels)
    for _ in range(1, size.given // size.channels):
        joined = sketch.add("join", Concatenate(), joined, _pointwise(sketch, spatial, size.channels))
    return joined


def _attention(sketch: Sketch, feed: End | None, size: Size) -> End:
    """Draw norm(p r) + r, p the recoupled 3 x 3 convolution, r = prelu(x), pooled where there is a stride."""
    residual = halved(sketch, sketch.add("prelu", PReLU(), feed), size.stride)
    before = halved(sketch, feed, size.stride)
    convolved = _recoupled(sketch, feed, before, size.channels, 3, size.stride)
    weighed = sketch.add("multiply", Multiply(), convolved, residual)
    return sketch.add("add", Add(), sketch.add("norm", BatchNorm(), weighed), residual)


def _pointwise(sketch: Sketch, feed: End, channels: int) -> End:
    """Draw norm(p) + x, p the recoupled 1 x 1 convolution."""
    normed = sketch.add("norm", BatchNorm(), _recoupled(sketch, feed, feed, channels, 1, 1))
    return sketch.add("add", Add(), normed, feed)


def _recoupled(
    sketch: Sketch, feed: End | None, before: End | None, channels: int, kernel: int, stride: int
) -> End:
    signs = sketch.add("rsign", RSign(estimator=_CLIP), feed)
    conv = binary_conv(channels, kernel=kernel, stride=stride, estimator=_CLIP)
    normed = sketch.add("norm", BatchNorm(), sketch.add(f"conv {kernel}×{kernel}", conv, signs))
    return sketch.add("recoupling", InfoRecoupling(), sketch.add("prelu", PReLU(), normed), before)
