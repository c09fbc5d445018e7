"""Moving, turning and cutting images, float32 (n, height, width, channels), with the chance drawn before."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@kernel
def shift_images(images: F32, by: I64, out: F32) -> None:
    """Write each image moved down and right by `by`, int64 (n, 2); zeros come in. `out` is another array."""
    n, height, width, channels = images.shape
    for i in range(n):
        for y in range(height):
            for x in range(width):
                fy, fx = y - by[i, 0], x - by[i, 1]
                inside = 0 <= fy < height and 0 <= fx < width
                for c in range(channels):
                    out[i, y, x, c] = images[i, fy, fx, c] if inside else np.float32(0)


@kernel
def rotate_images(images: F32, cosines: F64, sines: F64, out: F32) -> None:
    """Write each image turned about its middle, linear between pixels; zeros lie around it.

    Args:
        images: read.
        cosines: float64 (n,), of the angle; positive angles turn x towards y.
        sines: float64 (n,).
        out: another array of the same shape.
    """
    n, height, width, channels = images.shape
    my, mx = (height - 1) / 2, (width - 1) / 2
    for i in range(n):
        for y in range(height):
            for x in range(width):
                fx = mx + cosines[i] * (x - mx) + sines[i] * (y - my)
                fy = my - sines[i] * (x - mx) + cosines[i] * (y - my)
                x0, y0 = int(np.floor(fx)), int(np.floor(fy))
                for c in range(channels):
                    total = 0.0
                    for dy in range(2):
                        for dx in range(2):
                            sy, sx = y0 + dy, x0 + dx
                            if 0 <= sy < height and 0 <= sx < width:
                                share = (1 - abs(fy - sy)) * (1 - abs(fx - sx))
                                total += share * images[i, sy, sx, c]
                    out[i, y, x, c] = np.float32(total)


@kernel
def flip_images(images: F32, which: Bools) -> None:
    """Mirror the images that are marked, bool (n,), left to right, in place."""
    n, height, width, channels = images.shape
    for i in range(n):
        if which[i]:
            for y in range(height):
                for x in range(width // 2):
                    for c in range(channels):
                        kept = images[i, y, x, c]
                        images[i, y, x, c] = images[i, y, width - 1 - x, c]
                        images[i, y, width - 1 - x, c] = kept


@kernel
def cut_out(images: F32, middles: I64, side: int) -> None:
    """Set a square of `side` pixels about each middle, int64 (n, 2) row and column, to 0, in place."""
    n, height, width, channels = images.shape
    for i in range(n):
        top, left = middles[i, 0] - side // 2, middles[i, 1] - side // 2
        for y in range(max(0, top), min(height, top + side)):
            for x in range(max(0, left), min(width, left + side)):
                for c in range(channels):
                    images[i, y, x, c] = np.float32(0)
