"""A transformer block of 1 bit: tokens look at one another, then each is worked on by itself."""

from __future__ import annotations

from ..bnn.attention import BinaryAttention
from ..bnn.batch_norm import BatchNorm
from ..bnn.conv import Conv1d
from ..bnn.rprelu import RPReLU
from ..bnn.rsign import RSign
from ..flow.add import Add
from .sketch import End, Sketch
from .template import Size, template

_WIDER = 2  # units between the two layers, for each feature


@template(
    "binary_attention",
    "Binary transformer block",
    summary="Binary attention over tokens, then two 1-bit layers for each, with shortcuts and norms",
    citation="Liu et al. 2022, arXiv:2205.13016",
)
def binary_attention(sketch: Sketch, feed: End | None, size: Size) -> End:
    """Draw norm(x + attention(x)) and norm(y + layers(y)); norms go over all tokens of a batch."""
    heads = next(h for h in (4, 2, 1) if size.channels % h == 0)
    attention = BinaryAttention(heads=heads, head_size=max(1, size.channels // heads))
    attended = sketch.add("add", Add(), sketch.add("attention", attention, feed), feed)
    tokens = sketch.add("norm", BatchNorm(), attended)
    end = sketch.add("dense", _layer(size.channels * _WIDER), sketch.add("rsign", RSign(), tokens))
    end = sketch.add("rsign", RSign(), sketch.add("rprelu", RPReLU(), end))
    end = sketch.add("dense", _layer(size.channels), end)
    return sketch.add("norm", BatchNorm(), sketch.add("add", Add(), end, tokens))


def _layer(units: int) -> Conv1d:
    """Return a layer that works on each token by itself: a convolution whose window is one token."""
    return Conv1d(filters=units, kernel=1, weight_bits="1", weight_quantizer="sign")
