"""Residual networks of 1-bit blocks: Bi-Real Net, ReActNet and BNext, small, each from its template."""

from __future__ import annotations

from collections.abc import Sequence

from ..bnn.pooling import MaxPool
from ..bnn.prelu import PReLU
from ..files.project import Project
from ..templates.bireal import bireal
from ..templates.bnext import bnext
from ..templates.convolutions import stem
from ..templates.reactnet import reactnet
from ..templates.sketch import End, Sketch
from ..templates.template import Draw, Size
from .net import finished, mnist, net, pooled_scores, recipe


def stacked(sketch: Sketch, draw: Draw, end: End, sizes: Sequence[Size]) -> End:
    """Draw one block after the other."""
    for size in sizes:
        with sketch.block():
            end = draw(sketch, end, size)
    return end


@net("bireal-small")
def bireal_small() -> Project:
    """Return a Bi-Real Net of five blocks."""
    sketch = Sketch()
    data = mnist(sketch)
    end = sketch.add("First pool", MaxPool(), stem(sketch, data.images, 32))
    end = stacked(sketch, bireal, end, (Size(32), Size(32), Size(32, 64, 2), Size(64), Size(64)))
    about = (
        "A real shortcut around every 1-bit convolution keeps what the sign would lose. "
        "Liu et al. 2018, arXiv:1808.00278."
    )
    return finished(
        sketch,
        pooled_scores(sketch, end),
        data.labels,
        name="Bi-Real Net, small",
        about=about,
        training=recipe(epochs=8),
    )


@net("reactnet-small")
def reactnet_small() -> Project:
    """Return a ReActNet-A of three blocks."""
    sketch = Sketch()
    data = mnist(sketch)
    end = stem(sketch, data.images, 16, stride=2)
    end = stacked(sketch, reactnet, end, (Size(16, 32), Size(32, 64, 2), Size(64)))
    about = (
        "Thresholds and shifts are learned by channel (RSign, RPReLU); channels double without a weight. "
        "Liu et al. 2020, arXiv:2003.03488."
    )
    return finished(
        sketch,
        pooled_scores(sketch, end),
        data.labels,
        name="ReActNet-A, small",
        about=about,
        training=recipe(epochs=8),
    )


@net("bnext-tiny")
def bnext_tiny() -> Project:
    """Return a BNext of two blocks."""
    sketch = Sketch()
    data = mnist(sketch)
    end = stem(sketch, data.images, 16, stride=2)
    end = stacked(sketch, bnext, end, (Size(16, 32), Size(32, 64, 2)))
    end = sketch.add("Last PReLU", PReLU(), end)
    about = (
        "Gates that mix what a 1-bit convolution gives with what it was given (Info-Recoupling), and element "
        "attention. Guo et al. 2022, arXiv:2211.12933."
    )
    return finished(
        sketch,
        pooled_scores(sketch, end),
        data.labels,
        name="BNext, tiny",
        about=about,
        training=recipe(epochs=8),
    )
