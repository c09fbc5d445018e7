"""The convolutions that blocks of 1-bit networks are made of."""

from __future__ import annotations

from dataclasses import replace

from ..bnn.batch_norm import BatchNorm
from ..bnn.conv import Conv2d
from ..bnn.pooling import AveragePool
from .sketch import End, Sketch


def binary_conv(
    filters: int, *, kernel: int = 3, stride: int = 1, estimator: str = "clipped", quantizer: str = "sign"
) -> Conv2d:
    """Return a convolution with 1-bit weights and no bias: a norm follows it."""
    return Conv2d(
        filters=filters,
        kernel=kernel,
        stride=stride,
        weight_bits="1",
        bias=False,
        estimator=estimator,
        weight_quantizer=quantizer,
    )


def xnor_conv(filters: int, *, kernel: int = 3, padding: str = "same") -> Conv2d:
    """Return a convolution of XNOR-Net: signs of real numbers, scaled by filter and by place."""
    return replace(
        binary_conv(filters, kernel=kernel, quantizer="xnor"),
        activation_bits="1",
        input_scale="mean",
        padding=padding,
        pad_value="0",
    )


def float_conv(filters: int, *, kernel: int = 3, stride: int = 1) -> Conv2d:
    """Return a float32 convolution without a bias, as first layers and shortcuts have it."""
    return Conv2d(filters=filters, kernel=kernel, stride=stride, weight_bits="32", bias=False)


def stem(sketch: Sketch, feed: End | None, filters: int, *, kernel: int = 3, stride: int = 1) -> End:
    """Draw a first layer: a float convolution and its norm."""
    end = sketch.add("First layer", float_conv(filters, kernel=kernel, stride=stride), feed)
    return sketch.add("First norm", BatchNorm(), end)


def halved(sketch: Sketch, feed: End | None, stride: int) -> End | None:
    """Draw the average pooling of a shortcut, where there is a stride."""
    return sketch.add("pool", AveragePool(size=stride), feed) if stride > 1 else feed
