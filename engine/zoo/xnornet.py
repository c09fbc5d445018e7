"""A small XNOR-Net: 1-bit convolutions scaled by filter and by place."""

from __future__ import annotations

from ..bnn.activation import Activation
from ..bnn.batch_norm import BatchNorm
from ..bnn.dense import Dense
from ..bnn.pooling import MaxPool
from ..files.project import Project
from ..flow.flatten import Flatten
from ..templates.convolutions import stem, xnor_conv
from ..templates.sketch import Sketch
from ..templates.template import Size
from ..templates.xnor import xnor
from .net import CLASSES, finished, mnist, net, recipe


@net("xnornet-small")
def build() -> Project:
    """Return the net: float 5 x 5, two XNOR blocks, a 1-bit convolution as wide as the map, float scores."""
    sketch = Sketch()
    data = mnist(sketch)
    end = sketch.add("First ReLU", Activation(), stem(sketch, data.images, 32, kernel=5))
    end = sketch.add("First pool", MaxPool(), end)
    for size in (Size(32, 64, 2), Size(64, 96, 1)):
        with sketch.block():
            end = xnor(sketch, end, size)
    whole = xnor_conv(256, kernel=7, padding="valid")
    end = sketch.add("Map conv 7×7", whole, sketch.add("Map norm", BatchNorm(), end))
    end = sketch.add("Last ReLU", Activation(), sketch.add("Last norm", BatchNorm(), end))
    end = sketch.add("Flatten", Flatten(), end)
    scores = sketch.add("Class scores", Dense(units=CLASSES, weight_bits="32"), end)
    about = (
        "Norm before the sign, a scale for each filter and one for each place, on images of 28 × 28. "
        "Rastegari et al. 2016, arXiv:1603.05279."
    )
    return finished(
        sketch, scores, data.labels, name="XNOR-Net, small", about=about, training=recipe(epochs=8)
    )
