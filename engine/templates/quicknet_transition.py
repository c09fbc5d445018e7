"""QuickNet's transition: half the map and more channels, without losing detail to noise."""

from __future__ import annotations

from ..bnn.activation import Activation
from ..bnn.batch_norm import BatchNorm
from ..bnn.blur_pool import BlurPool
from ..bnn.pooling import MaxPool
from .convolutions import float_conv
from .sketch import End, Sketch
from .template import Size, template


@template(
    "quicknet_transition",
    "QuickNet transition",
    summary="ReLU, max pool, blur pool, float 1 × 1 convolution, norm: half the map, twice the channels",
    citation="Bannink et al. 2020, arXiv:2011.09398",
    growth=2,
    stride=2,
)
def quicknet_transition(sketch: Sketch, feed: End | None, size: Size) -> End:
    """Draw norm(conv1x1(blur(max(relu(x))))), the blur with the stride (Larq Zoo, quicknet.py)."""
    bent = sketch.add("relu", Activation(), feed)
    largest = sketch.add("max pool", MaxPool(size=size.stride, stride=1), bent)
    blurred = sketch.add("blur pool", BlurPool(stride=size.stride), largest)
    return sketch.add("norm", BatchNorm(), sketch.add("conv 1×1", float_conv(size.given, kernel=1), blurred))
