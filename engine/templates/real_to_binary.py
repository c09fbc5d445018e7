"""The Real-to-Binary block: a 1-bit convolution scaled by the real numbers that went into it."""

from __future__ import annotations

from ..bnn.batch_norm import BatchNorm
from ..bnn.gate import ChannelGate
from ..bnn.prelu import PReLU
from ..bnn.sign import Sign
from ..flow.add import Add
from .convolutions import binary_conv, float_conv, halved
from .sketch import End, Sketch
from .template import Size, template


@template(
    "real_to_binary",
    "Real-to-binary block",
    summary="Norm, sign, 1-bit 3 × 3 convolution, gate, PReLU, shortcut",
    citation="Martinez et al. 2020, arXiv:2003.11535",
)
def real_to_binary(sketch: Sketch, feed: End | None, size: Size) -> End:
    """Draw prelu(gate(conv(sign(norm(x))), norm(x))) + x; a larger size passes a float 1 x 1 convolution."""
    normed = sketch.add("norm", BatchNorm(), feed)
    signs = sketch.add("sign", Sign(), normed)
    convolved = sketch.add("conv 3×3", binary_conv(size.given, stride=size.stride), signs)
    bent = sketch.add("prelu", PReLU(), sketch.add("gate", ChannelGate(), convolved, normed))
    around = halved(sketch, feed, size.stride)
    if size.given != size.channels:
        around = sketch.add("around", float_conv(size.given, kernel=1), around)
        around = sketch.add("around norm", BatchNorm(), around)
    return sketch.add("add", Add(), bent, around)
