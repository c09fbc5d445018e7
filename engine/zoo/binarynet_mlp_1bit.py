"""BinaryNet's MLP on 1-bit images: every product is an XNOR."""

from __future__ import annotations

from ..bnn.thermometer import Thermometer
from ..files.project import Project
from ..flow.flatten import Flatten
from ..templates.sketch import Sketch
from .binarynet_mlp import hidden
from .net import finished, mnist, net, recipe


@net("binarynet-mlp-1bit")
def build() -> Project:
    """Return the MLP 784-1024-1024-10 on the sign of each pixel."""
    sketch = Sketch()
    data = mnist(sketch)
    bits = sketch.add("1-bit pixels", Thermometer(levels=1, axis="last"), data.images)
    scores = hidden(sketch, sketch.add("Flatten", Flatten(), bits))
    about = (
        "Weights, activations and pixels of 1 bit: every product is an XNOR. "
        "Hubara et al. 2016, arXiv:1602.02830."
    )
    return finished(
        sketch, scores, data.labels, name="BinaryNet MLP, 1-bit pixels", about=about, training=recipe()
    )
