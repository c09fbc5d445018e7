"""The XNOR-Net block: norm, a 1-bit convolution with its two scales, pooling."""

from __future__ import annotations

from ..bnn.batch_norm import BatchNorm
from ..bnn.pooling import MaxPool
from .convolutions import xnor_conv
from .sketch import End, Sketch
from .template import Size, template


@template(
    "xnor",
    "XNOR-Net block",
    summary="Norm, signs, 1-bit 3 × 3 convolution with scales by filter and place, max pool",
    citation="Rastegari et al. 2016, arXiv:1603.05279",
    growth=2,
    stride=2,
)
def xnor(sketch: Sketch, feed: End | None, size: Size) -> End:
    """Draw pool(K a (sign(norm(x)) * sign(w))), the order of the paper; without a stride no pooling."""
    normed = sketch.add("norm", BatchNorm(), feed)
    convolved = sketch.add("conv 3×3", xnor_conv(size.given), normed)
    return sketch.add("pool", MaxPool(size=size.stride), convolved) if size.stride > 1 else convolved
