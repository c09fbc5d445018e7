"""The MNIST records as every peer gets them: NumPy alone, under any interpreter."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
TRAINING = 50_000


def images(folder: str, count: int = TRAINING) -> F32:
    """Return the first `count` images, float32 (count, 1, 28, 28), -1 to +1."""
    pixels = np.frombuffer(_content(folder, "train-images-idx3-ubyte.gz")[16:], np.uint8, count * 784)
    return (pixels.astype(np.float32) * np.float32(2 / 255) - 1).reshape(count, 1, 28, 28)


def labels(folder: str, count: int = TRAINING) -> npt.NDArray[np.int64]:
    """Return the digits of the first `count` images, int64 (count,)."""
    found: Any = np.frombuffer(_content(folder, "train-labels-idx1-ubyte.gz")[8:], np.uint8, count)
    return np.asarray(found, np.int64)


def _content(folder: str, name: str) -> bytes:
    with gzip.open(Path(folder) / name) as file:
        return file.read()
