"""The dense block of BinaryNet: a 1-bit layer, its norm and its sign."""

from __future__ import annotations

from ..bnn.batch_norm import BatchNorm
from ..bnn.dense import Dense
from ..bnn.sign import Sign
from .sketch import End, Sketch
from .template import Size, template


@template(
    "binary_dense",
    "Binary dense block",
    summary="A 1-bit dense layer, batch norm, sign",
    citation="Hubara et al. 2016, arXiv:1602.02830",
)
def binary_dense(sketch: Sketch, feed: End | None, size: Size) -> End:
    """Draw sign(norm(dense(x)))."""
    layer = Dense(units=size.given, weight_bits="1", bias=False, weight_quantizer="sign")
    normed = sketch.add("norm", BatchNorm(), sketch.add("dense", layer, feed))
    return sketch.add("sign", Sign(), normed)
