"""BinaryConnect: 1-bit weights, real activations."""

from __future__ import annotations

from ..bnn.activation import Activation
from ..bnn.batch_norm import BatchNorm
from ..bnn.dense import Dense
from ..files.project import Project
from ..flow.flatten import Flatten
from ..templates.sketch import Sketch
from .net import CLASSES, finished, mnist, net, normed_scores, recipe


@net("binaryconnect-mlp")
def build() -> Project:
    """Return the MLP 784-1024-1024-10 with 1-bit weights and ReLU between its layers."""
    sketch = Sketch()
    data = mnist(sketch)
    end = sketch.add("Flatten", Flatten(), data.images)
    for number in ("First", "Second"):
        end = sketch.add(f"{number} layer", _layer(1024), end)
        end = sketch.add(f"{number} norm", BatchNorm(), end)
        end = sketch.add(f"{number} ReLU", Activation(), end)
    scores = normed_scores(sketch, end, _layer(CLASSES))
    about = (
        "1-bit weights under real activations: the weights add and subtract, nothing multiplies. "
        "Courbariaux et al. 2015, arXiv:1511.00363."
    )
    return finished(sketch, scores, data.labels, name="BinaryConnect MLP", about=about, training=recipe())


def _layer(units: int) -> Dense:
    return Dense(units=units, weight_bits="1", bias=False, weight_quantizer="sign")
