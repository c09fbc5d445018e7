"""A BinaryNet CNN: three convolutions, the middle of them in 1 bit."""

from __future__ import annotations

from ..bnn.batch_norm import BatchNorm
from ..bnn.dense import Dense
from ..bnn.pooling import MaxPool
from ..bnn.sign import Sign
from ..files.project import Project
from ..flow.flatten import Flatten
from ..templates.convolutions import binary_conv, float_conv
from ..templates.sketch import Sketch
from .net import CLASSES, finished, mnist, net, normed_scores, recipe


@net("binarynet-cnn")
def build() -> Project:
    """Return the CNN 32-64-128 with a float first convolution and a float last layer."""
    sketch = Sketch()
    data = mnist(sketch)
    end = data.images
    for i, (conv, pooled) in enumerate(
        ((float_conv(32), True), (binary_conv(64), True), (binary_conv(128), False)), start=1
    ):
        end = sketch.add(f"Conv {i}", conv, end)
        if pooled:
            end = sketch.add(f"Pool {i}", MaxPool(), end)
        end = sketch.add(f"Norm {i}", BatchNorm(), end)
        end = sketch.add(f"Sign {i}", Sign(), end)
    flat = sketch.add("Flatten", Flatten(), end)
    scores = normed_scores(sketch, flat, Dense(units=CLASSES, weight_bits="32", bias=False))
    about = (
        "Convolution, pool, norm and sign, the order of BinaryNet; float first and last layers. "
        "Hubara et al. 2016, arXiv:1602.02830."
    )
    return finished(sketch, scores, data.labels, name="BinaryNet CNN", about=about, training=recipe())
