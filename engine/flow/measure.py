"""Figures of an image's shape that rules can speak of: ink, box, pieces, holes, symmetry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import real, whole
from ..kernels.regions import MEASURES, measure
from ..node import Cost, Node, Predictor, ShapeError, Specs, Work, wired
from ..ports import Array, Arrays, Column, Port, Spec


@dataclass(frozen=True)
class ImageMeasures(Node):
    """Facts of each image x of h x w pixels; ink is where x > 0 and x >= threshold * max x.

    ink = sum max(x, 0) / (h w max x). width, height: the box around the ink, in pixels. pieces: regions of
    ink, diagonal neighbours connected. holes: regions of background, diagonal neighbours not connected, that
    do not touch the border (pieces - holes is the Euler number). largest_hole: pixels of the largest.
    hole_place: mean row of those, 0 at the top of the box and 1 at its bottom; a gap without holes.
    symmetry = 1 - sum |x - mirror(x)| / (2 sum |x|) over the box, left for right. The background must be 0
    or dark: wire it to the data itself, before any standardising that moves 0.

    Attributes:
        threshold: share of the image's largest value from which a pixel is ink.
        smallest: pixels a hole must have to count.
    """

    kind: ClassVar[str] = "flow.measure"
    title: ClassVar[str] = "Image measures"
    icon: ClassVar[str] = "ph.ruler"
    order: ClassVar[int] = 30
    summary: ClassVar[str] = "Turns images into facts for rules: ink, box, pieces, holes, symmetry"
    inputs: ClassVar[tuple[Port, ...]] = (Port("images", ("real",), "Images, (height, width)"),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("facts", ("facts",), "The measures of each image"),)

    threshold: float = real(0.5, 0.0, 1.0, "Share of the largest value from which a pixel is ink")
    smallest: int = whole(1, 1, 10_000, "A hole must have this many pixels to count", unit="pixels")

    def specs(self, *inputs: Spec | None) -> Specs:
        (x,) = wired(inputs)
        if len(x.shape) != 2:
            words = f"It measures images of (height, width); the records are {x.words()}."
            raise ShapeError(words, do="Wire it to images, before any Flatten.", port="images")
        return (Spec("facts", (len(MEASURES),), columns=tuple(Column(name) for name in MEASURES)),)

    def cost(self, *inputs: Spec | None) -> Cost:
        (x,) = wired(inputs)
        # Adding up, comparing and mirroring: one addition a pixel each; the fills only move.
        return Cost(0, (Work(3 * x.elements, "1", "32"),))

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        return self._measured

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Ink from", f"{self.threshold:.0%} of the largest"),)

    def _measured(self, images: Array) -> tuple[Array, ...]:
        out = np.empty((len(images), len(MEASURES)), np.float64)
        measure(np.ascontiguousarray(images, np.float32), self.threshold, self.smallest, out)
        return (out,)
