"""A bagged ensemble of binary networks that vote."""

from __future__ import annotations

from ..bnn.dense import Dense
from ..bnn.thermometer import Thermometer
from ..bnn.vote import Vote
from ..files.project import Project
from ..flow.flatten import Flatten
from ..templates.binary_dense import binary_dense
from ..templates.sketch import Sketch
from ..templates.template import Size
from .net import CLASSES, finished, mnist, net, normed_scores, recipe

_MEMBERS = 3


@net("benn-mlp")
def build() -> Project:
    """Return three binary MLPs 784-512-10 on 1-bit pixels, each trained on a bootstrap sample."""
    sketch = Sketch()
    data = mnist(sketch)
    bits = sketch.add("1-bit pixels", Thermometer(levels=1, axis="last"), data.images)
    flat = sketch.add("Flatten", Flatten(), bits)
    scores = []
    for _ in range(_MEMBERS):
        with sketch.block():
            hidden = binary_dense(sketch, flat, Size(0, 512))
            last = Dense(units=CLASSES, weight_bits="1", bias=False, weight_quantizer="sign")
            scores.append(normed_scores(sketch, hidden, last))
    none = [None] * (len(Vote.inputs) - 1 - _MEMBERS)
    vote = sketch.add("Vote", Vote(), *scores, *none, data.labels)
    about = (
        "Three binary networks, each trained on a bootstrap sample of its own, vote by probability: less "
        "variance for three times the bits. Zhu et al. 2019, arXiv:1806.07550."
    )
    return finished(sketch, vote, data.labels, name="BENN, three voting MLPs", about=about, training=recipe())
