"""The XNOR-Net block: norm, sign, convolution with a scale for each filter, pooling."""

from __future__ import annotations

from ..bnn.batch_norm import BatchNorm
from ..bnn.pooling import MaxPool
from ..bnn.sign import Sign
from .convolutions import binary_conv
from .sketch import End, Sketch
from .template import Size, template


@template(
    "xnor",
    "XNOR-Net block",
    summary="Norm, sign, 1-bit 3 × 3 convolution with a scale for each filter, max pool",
    citation="Rastegari et al. 2016, arXiv:1603.05279",
    growth=2,
    stride=2,
)
def xnor(sketch: Sketch, feed: End | None, size: Size) -> End:
    """Draw pool(conv(sign(norm(x)))), the order of the paper; without a stride there is no pooling."""
    normed = sketch.add("norm", BatchNorm(), feed)
    signs = sketch.add("sign", Sign(), normed)
    convolved = sketch.add("conv 3×3", binary_conv(size.given, quantizer="xnor"), signs)
    return sketch.add("pool", MaxPool(size=size.stride), convolved) if size.stride > 1 else convolved
