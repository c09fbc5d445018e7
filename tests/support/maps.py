"""What layers of maps are, in plain loops, for their tests."""

from itertools import product

import numpy as np

from engine.levels import quantize_weights
from engine.ports import words_for
from engine.precision import PRECISIONS


def padded(x, kernel, stride, dilation, padding, value):
    """The map with its padding, and how many positions there are along each axis."""
    size, reach = x.shape[1:-1], (kernel - 1) * dilation + 1
    if padding == "valid":
        return x, [(s - reach) // stride + 1 for s in size]
    out = [-(-s // stride) for s in size]
    over = [max(0, (o - 1) * stride + reach - s) for o, s in zip(out, size, strict=True)]
    edges = [(0, 0), *((p // 2, p - p // 2) for p in over), (0, 0)]
    return np.pad(x, edges, constant_values=value), out


def windows(x, kernel, stride=1, dilation=1, padding="same", value=0):
    """Every place, and the map's numbers there: (n, *kernel, channels)."""
    x, out = padded(x, kernel, stride, dilation, padding, value)
    reach = (kernel - 1) * dilation + 1
    for place in product(*map(range, out)):
        cut = tuple(slice(p * stride, p * stride + reach, dilation) for p in place)
        yield place, out, x[(slice(None), *cut)]


def packed_signs(x):
    flat = x.reshape(len(x), -1) >= 0
    bits = np.zeros((len(x), words_for(flat.shape[1]) * 64), np.uint8)
    bits[:, : flat.shape[1]] = flat
    return np.packbits(bits, axis=1, bitorder="little").view(np.uint64)


def as_it_counts(x, activation, step=0.21):
    """Real numbers as the standard quantizer of a width takes them."""
    row = PRECISIONS[activation]
    if row.binary:
        return np.where(x >= 0, 1.0, -1.0)
    if row.store == "planes":
        return step * np.clip(np.rint(x / np.float32(step)), row.low, row.high)
    return x.astype(np.float16 if row.store == "half" else np.float32).astype(np.float64)


def weights_as_they_count(weights, precision):
    q = quantize_weights(weights["weight"], precision)
    return (q.values * q.scale[:, None]).astype(np.float64)
