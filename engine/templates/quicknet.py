"""QuickNet's residual block: one 1-bit convolution that keeps its size."""

from __future__ import annotations

from dataclasses import replace

from ..bnn.activation import Activation
from ..bnn.batch_norm import BatchNorm
from ..bnn.sign import Sign
from ..flow.add import Add
from .convolutions import binary_conv
from .sketch import End, Sketch
from .template import Size, template

_CLIP = "clipped_1_25"


@template(
    "quicknet",
    "QuickNet block",
    summary="Sign, 1-bit 3 × 3 convolution, ReLU, norm, shortcut",
    citation="Bannink et al. 2020, arXiv:2011.09398",
)
def quicknet(sketch: Sketch, feed: End | None, size: Size) -> End:
    """Draw x + norm(relu(conv(sign(x)))), padded with +1, clipped at 1.25 (Larq Zoo, quicknet.py)."""
    signs = sketch.add("sign", Sign(estimator=_CLIP), feed)
    conv = replace(binary_conv(size.channels, estimator=_CLIP), pad_value="1")
    bent = sketch.add("relu", Activation(), sketch.add("conv 3×3", conv, signs))
    return sketch.add("add", Add(), sketch.add("norm", BatchNorm(), bent), feed)
