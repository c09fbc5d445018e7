"""BinaryNet's MLP on 8-bit images: every weight and every hidden activation is 1 bit."""

from __future__ import annotations

from ..bnn.dense import Dense
from ..bnn.quantize import Quantize
from ..files.project import Project
from ..flow.flatten import Flatten
from ..templates.binary_dense import binary_dense
from ..templates.sketch import End, Sketch
from ..templates.template import Size
from .net import CLASSES, finished, mnist, net, normed_scores, recipe


@net("binarynet-mlp")
def build() -> Project:
    """Return the MLP 784-1024-1024-10 on images of 8 bits."""
    sketch = Sketch()
    data = mnist(sketch)
    levels = sketch.add("8-bit pixels", Quantize(bits="8"), data.images)
    scores = hidden(sketch, sketch.add("Flatten", Flatten(), levels))
    about = (
        "Weights and activations of 1 bit; the first layer multiplies 8-bit pixels, all others are XNOR and "
        "popcount. Hubara et al. 2016, arXiv:1602.02830."
    )
    return finished(sketch, scores, data.labels, name="BinaryNet MLP", about=about, training=recipe())


def hidden(sketch: Sketch, end: End) -> End:
    """Draw what the two variants share: two blocks of 1024 units, and the scores."""
    for _ in range(2):
        with sketch.block():
            end = binary_dense(sketch, end, Size(0, 1024))
    last = Dense(units=CLASSES, weight_bits="1", bias=False, weight_quantizer="sign")
    return normed_scores(sketch, end, last)
