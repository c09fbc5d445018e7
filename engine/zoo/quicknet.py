"""A small QuickNet: plain residual blocks, and transitions that blur before they halve."""

from __future__ import annotations

from ..bnn.activation import Activation
from ..bnn.batch_norm import BatchNorm
from ..bnn.conv_depthwise import DepthwiseConv
from ..files.project import Project
from ..templates.convolutions import float_conv
from ..templates.quicknet import quicknet
from ..templates.quicknet_transition import quicknet_transition
from ..templates.sketch import End, Sketch
from ..templates.template import Size
from .net import finished, mnist, net, pooled_scores, recipe
from .residual import stacked


@net("quicknet-small")
def build() -> Project:
    """Return a QuickNet of two sections, 32 and 64 channels wide."""
    sketch = Sketch()
    data = mnist(sketch)
    end = _stem(sketch, data.images, 32)
    end = stacked(sketch, quicknet, end, (Size(32), Size(32)))
    end = stacked(sketch, quicknet_transition, end, (Size(32, 64, 2),))
    end = stacked(sketch, quicknet, end, (Size(64), Size(64)))
    end = sketch.add("Last ReLU", Activation(), end)
    about = (
        "Plain 1-bit residual blocks with float transitions between sections, made to be fast. "
        "Bannink et al. 2020, arXiv:2011.09398."
    )
    return finished(
        sketch,
        pooled_scores(sketch, end),
        data.labels,
        name="QuickNet, small",
        about=about,
        training=recipe(epochs=8),
    )


def _stem(sketch: Sketch, images: End, filters: int) -> End:
    """Draw the first module: 3 x 3, a depthwise 3 x 3 that halves the map, and 1 x 1, all float."""
    few = filters // 4
    end = sketch.add("First conv", float_conv(few), images)
    end = sketch.add("First ReLU", Activation(), sketch.add("First norm", BatchNorm(), end))
    depthwise = DepthwiseConv(stride=2, weight_bits="32", bias=False)
    end = sketch.add("Depthwise conv", depthwise, end)
    end = sketch.add("Depthwise norm", BatchNorm(affine=False), end)
    end = sketch.add("Pointwise conv", float_conv(filters, kernel=1), end)
    return sketch.add("Pointwise norm", BatchNorm(), end)
