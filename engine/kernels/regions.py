"""Connected regions of small binary images, and the figures that Image measures takes of them.

Ink is connected to its eight neighbours and background to its four, the usual pair for which a closed
diagonal line parts inside from outside. A hole is a background region that does not touch the border.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
U8 = npt.NDArray[np.uint8]

MEASURES = ("ink", "width", "height", "pieces", "holes", "largest_hole", "hole_place", "symmetry")


@kernel
def fill(mask: U8, value: int, row: int, column: int, eight: bool, stack: I32) -> tuple[int, int, bool]:
    """Turn the region of 1s around (row, column) into `value`; count it.

    Args:
        mask: uint8 (h, w), changed in place.
        value: what the region becomes; not 1.
        row: of a pixel of the region.
        column: of that pixel.
        eight: whether diagonal neighbours are connected.
        stack: int32 (at least h * w,), working space.

    Returns:
        pixels of the region, the sum of their rows, and whether one lies on the border.
    """
    h, w = mask.shape
    stack[0] = row * w + column
    mask[row, column] = value
    top = 1
    size = 0
    rows = 0
    border = False
    while top > 0:
        top -= 1
        r = stack[top] // w
        c = stack[top] % w
        size += 1
        rows += r
        border = border or r == 0 or c == 0 or r == h - 1 or c == w - 1
        for dr in range(-1, 2):
            for dc in range(-1, 2):
                if (dr == 0 and dc == 0) or (not eight and dr != 0 and dc != 0):
                    continue
                y = r + dr
                x = c + dc
                if 0 <= y < h and 0 <= x < w and mask[y, x] == 1:
                    mask[y, x] = value
                    stack[top] = y * w + x
                    top += 1
    return size, rows, border


@kernel
def count_regions(mask: U8, eight: bool, inner: bool, smallest: int, stack: I32, out: F64) -> None:
    """Count the regions of 1s in `mask`, uint8 (h, w), which is used up.

    Args:
        mask: 1 where the regions are, 0 elsewhere.
        eight: whether diagonal neighbours are connected.
        inner: whether only regions that do not touch the border count.
        smallest: pixels a region must have to count.
        stack: int32 (at least h * w,), working space.
        out: float64 (3,): regions, pixels of the largest (the first of equals), the sum of its rows.
    """
    out[:] = 0.0
    for r in range(mask.shape[0]):
        for c in range(mask.shape[1]):
            if mask[r, c] == 1:
                size, rows, border = fill(mask, 2, r, c, eight, stack)
                if size >= smallest and not (inner and border):
                    out[0] += 1.0
                    if size > out[1]:
                        out[1] = size
                        out[2] = rows


@kernel
def measure(images: F32, share: float, smallest: int, out: F64) -> None:
    """Write the MEASURES of each image of `images`, float32 (n, h, w), into `out`, float64 (n, 8).

    A pixel is ink where it is above 0 and at least `share` of the image's largest value. Sums run in one
    order, so a record has the same figures on every machine.
    """
    n, h, w = images.shape
    mask = np.zeros((h, w), np.uint8)
    stack = np.zeros(h * w + 1, np.int32)
    counted = np.zeros(3, np.float64)
    for i in range(n):
        image = images[i]
        largest = np.float64(0.0)
        total = np.float64(0.0)
        for r in range(h):
            for c in range(w):
                value = np.float64(image[r, c])
                largest = max(largest, value)
                total += max(value, 0.0)
        top, bottom, left, right = h, -1, w, -1
        for r in range(h):
            for c in range(w):
                value = np.float64(image[r, c])
                ink = value > 0.0 and value >= share * largest
                mask[r, c] = 1 if ink else 0
                if ink:
                    top = min(top, r)
                    bottom = max(bottom, r)
                    left = min(left, c)
                    right = max(right, c)
        out[i, 0] = total / (h * w * largest) if largest > 0.0 else 0.0
        out[i, 1] = max(right - left + 1, 0)
        out[i, 2] = max(bottom - top + 1, 0)
        out[i, 7] = mirrored(image, top, bottom, left, right)
        background = np.uint8(1) - mask
        count_regions(mask, True, False, 1, stack, counted)
        out[i, 3] = counted[0]
        count_regions(background, False, True, smallest, stack, counted)
        out[i, 4] = counted[0]
        out[i, 5] = counted[1]
        middle = counted[2] / counted[1] if counted[1] > 0.0 else np.nan
        out[i, 6] = (middle - top + 0.5) / out[i, 2] if counted[1] > 0.0 else np.nan


@kernel
def mirrored(image: F32, top: int, bottom: int, left: int, right: int) -> float:
    """Return how alike the box of an image is to its mirror image, left for right: 1 is equal.

    1 - sum |x - mirror(x)| / (2 sum |x|) over the box; 1 where the box is empty.
    """
    apart = np.float64(0.0)
    total = np.float64(0.0)
    for r in range(top, bottom + 1):
        for c in range(left, right + 1):
            value = np.float64(image[r, c])
            apart += abs(value - np.float64(image[r, left + right - c]))
            total += abs(value)
    return 1.0 - apart / (2.0 * total) if total > 0.0 else 1.0
