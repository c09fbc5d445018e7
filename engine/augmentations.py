"""What is done to training records so that no epoch sees the same twice. A new one is one decorated class.

Settings name them in a line of text: `shift 2, rotate 10, flip`, each with an amount or without. All chance
comes from the generator they are given, so that a resumed run sees what a whole one saw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .errors import FieldError
from .kernels.images import cut_out, flip_images, rotate_images, shift_images
from .options import Family
from .ports import F32, I64


@dataclass
class Batch:
    """Training records on their way to a step.

    Attributes:
        samples: float32 (n, *shape), changed in place; images are (n, height, width[, channels]).
        labels: int64 (n,).
        spare: float32 of the shape of the samples, to work in.
        others: int64 (n,), labels that were mixed in, or None.
        share: what `labels` count; `others` have the rest.
    """

    samples: F32
    labels: I64
    spare: F32
    others: I64 | None = None
    share: float = 1.0

    @property
    def images(self) -> tuple[F32, F32]:
        """Return samples and spare room as (n, height, width, channels)."""
        shape = self.samples.shape if self.samples.ndim > 3 else (*self.samples.shape, 1)
        return self.samples.reshape(shape), self.spare.reshape(shape)


class Augmentation:
    """Base of the augmentations.

    Class attributes:
        images: whether records must be images, of two axes or three.
        usual: the amount where none is named.
        most: the largest amount.
    """

    images: ClassVar[bool] = True
    usual: ClassVar[float] = 1.0
    most: ClassVar[float] = 1.0

    def __init__(self, amount: float) -> None:
        self.amount = amount

    def __call__(self, batch: Batch, rng: np.random.Generator) -> None:
        """Change a batch in place."""
        raise NotImplementedError


AUGMENTATIONS: Family[type[Augmentation]] = Family("train.augmentation", "Augmentations")


@AUGMENTATIONS.option("shift", "Shift", formula="each image moved by up to a pixels each way; zeros come in")
class Shift(Augmentation):
    """Moves each image by whole pixels, evenly drawn from -amount to amount for both axes."""

    usual: ClassVar[float] = 2.0
    most: ClassVar[float] = 1000.0

    def __call__(self, batch: Batch, rng: np.random.Generator) -> None:
        images, spare = batch.images
        by = rng.integers(-int(self.amount), int(self.amount) + 1, (len(images), 2))
        np.copyto(spare, images)
        shift_images(spare, by, images)


@AUGMENTATIONS.option(
    "rotate", "Rotate", formula="each image turned by up to a degrees about its middle, linear between pixels"
)
class Rotate(Augmentation):
    """Turns each image by an angle evenly drawn from -amount to amount, in degrees."""

    usual: ClassVar[float] = 10.0
    most: ClassVar[float] = 180.0

    def __call__(self, batch: Batch, rng: np.random.Generator) -> None:
        images, spare = batch.images
        angles = np.radians(rng.uniform(-self.amount, self.amount, len(images)))
        np.copyto(spare, images)
        rotate_images(spare, np.cos(angles), np.sin(angles), images)


@AUGMENTATIONS.option("flip", "Flip", formula="left and right changed over, with probability a")
class Flip(Augmentation):
    """Mirrors each image with probability amount."""

    usual: ClassVar[float] = 0.5

    def __call__(self, batch: Batch, rng: np.random.Generator) -> None:
        images, _ = batch.images
        flip_images(images, rng.random(len(images)) < self.amount)


@AUGMENTATIONS.option("noise", "Noise", formula="x + a n, n normal; a in the units of the data")
class Noise(Augmentation):
    """Adds normal noise of deviation amount, in the units of the data file."""

    images: ClassVar[bool] = False
    usual: ClassVar[float] = 0.1
    most: ClassVar[float] = 1e6

    def __call__(self, batch: Batch, rng: np.random.Generator) -> None:
        rng.standard_normal(out=batch.spare, dtype=np.float32)
        np.multiply(batch.spare, np.float32(self.amount), out=batch.spare)
        np.add(batch.samples, batch.spare, out=batch.samples)


@AUGMENTATIONS.option(
    "cutout",
    "Cutout",
    formula="a square of side a, its middle anywhere in the image, set to 0",
    citation="DeVries & Taylor 2017, arXiv:1708.04552",
)
class Cutout(Augmentation):
    """Sets a square of side amount to 0 in each image; part of it may lie outside."""

    usual: ClassVar[float] = 6.0
    most: ClassVar[float] = 1000.0

    def __call__(self, batch: Batch, rng: np.random.Generator) -> None:
        images, _ = batch.images
        middles = rng.integers(0, images.shape[1:3], (len(images), 2))
        cut_out(images, middles, int(self.amount))


@AUGMENTATIONS.option(
    "mixup",
    "Mixup",
    formula="s x + (1 - s) x', labels likewise; s from Beta(a, a), one for the batch",
    citation="Zhang et al. 2018, arXiv:1710.09412",
)
class Mixup(Augmentation):
    """Mixes every record with another of its batch, and what the loss asks of it in the same shares."""

    images: ClassVar[bool] = False
    usual: ClassVar[float] = 0.2
    most: ClassVar[float] = 100.0

    def __call__(self, batch: Batch, rng: np.random.Generator) -> None:
        if self.amount <= 0:
            return
        share = np.float32(rng.beta(self.amount, self.amount))
        order = rng.permutation(len(batch.labels))
        np.take(batch.samples, order, axis=0, out=batch.spare)
        np.multiply(batch.spare, 1 - share, out=batch.spare)
        np.multiply(batch.samples, share, out=batch.samples)
        np.add(batch.samples, batch.spare, out=batch.samples)
        batch.others, batch.share = batch.labels[order], float(share)


def parse(text: str) -> tuple[Augmentation, ...]:
    """Return the augmentations that a line of text names, in its order: `shift 2, flip`.

    Raises:
        FieldError: a name is not known, or an amount is none or too large.
    """
    made = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        key, _, amount = part.partition(" ")
        if key not in AUGMENTATIONS:
            there = ", ".join(AUGMENTATIONS)
            raise FieldError(f"There is no augmentation {key[:40]!r}; there are {there}.", where="augment")
        kind = AUGMENTATIONS.make(key)
        made.append(kind(_amount(key, amount.strip(), kind)))
    return tuple(made)


def _amount(key: str, text: str, kind: type[Augmentation]) -> float:
    if not text:
        return kind.usual
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= kind.most:
        words = f"The amount of {key} must be a number from 0 to {kind.most:g}; got {text[:40]!r}."
        raise FieldError(words, where="augment")
    return value
