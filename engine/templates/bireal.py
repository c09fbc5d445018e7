"""The Bi-Real block: a real shortcut around every 1-bit convolution."""

from __future__ import annotations

from ..bnn.batch_norm import BatchNorm
from ..bnn.sign import Sign
from ..flow.add import Add
from .convolutions import binary_conv, float_conv, halved
from .sketch import End, Sketch
from .template import Size, template


@template(
    "bireal",
    "Bi-Real block",
    summary="Sign, 1-bit 3 × 3 convolution, norm; the real map goes around them",
    citation="Liu et al. 2018, arXiv:1808.00278",
)
def bireal(sketch: Sketch, feed: End | None, size: Size) -> End:
    """Draw x + norm(conv(sign(x))); a smaller or wider x is pooled and passes a float 1 x 1 convolution."""
    signs = sketch.add("sign", Sign(estimator="approx_sign"), feed)
    conv = binary_conv(size.given, stride=size.stride, quantizer="magnitude_aware")
    normed = sketch.add("norm", BatchNorm(), sketch.add("conv 3×3", conv, signs))
    around = halved(sketch, feed, size.stride)
    if size.given != size.channels:
        around = sketch.add("around", float_conv(size.given, kernel=1), around)
        around = sketch.add("around norm", BatchNorm(), around)
    return sketch.add("add", Add(), normed, around)
