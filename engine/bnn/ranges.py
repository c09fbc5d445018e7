"""Where to clip numbers that are to be rounded to levels: searches that weights and activations share."""

from __future__ import annotations

import numpy as np

from ..ports import F32, F64

_BINS = 1024
_PARTS = np.linspace(0.25, 1.0, 24)


def mse_scale(w: F32, low: int, high: int) -> F32:
    """Return the step of least squared error of each row of `w`, float32 (n, k), as float32 (n,).

    Tries 24 steps, from a quarter of max|w| / high to the whole.
    """
    largest = np.abs(w).max(axis=1, initial=0)
    best = np.full(len(w), np.inf)
    found = np.zeros(len(w), np.float32)
    for part in _PARTS:
        step = (largest * np.float32(part / high) + np.float32(1e-12)).astype(np.float32)
        rounded = np.clip(np.rint(w / step[:, None]), low, high) * step[:, None]
        error = ((rounded - w) ** 2).sum(axis=1, dtype=np.float64)
        better = error < best
        best[better], found[better] = error[better], step[better]
    return found


def kl_range(x: F32, levels: int) -> float:
    """Return the threshold t that keeps most of what the histogram of |x| says, once it has `levels` steps.

    For every candidate t the histogram below it, the rest heaped on its last bin, is compared with itself
    averaged over `levels` groups of bins; the t of the least Kullback-Leibler divergence wins. The
    calibration of TensorRT and its followers, with 1,024 bins.
    """
    size = np.abs(np.asarray(x, np.float32)).ravel()
    largest = float(size.max(initial=0))
    if largest <= 0:
        return 1e-12
    counts = np.histogram(size, bins=_BINS, range=(0, largest))[0].astype(np.float64)
    least = max(levels, _BINS // 16)
    candidates = np.unique(np.linspace(least, _BINS, 48).astype(int))
    divergences = [_divergence(counts, int(bins), levels) for bins in candidates]
    return largest * float(candidates[int(np.argmin(divergences))]) / _BINS


def _divergence(counts: F64, bins: int, levels: int) -> float:
    """Return how far the first `bins` of a histogram are from themselves in `levels` steps."""
    kept = counts[:bins].copy()
    heaped = kept.copy()
    heaped[-1] += counts[bins:].sum()
    group = np.minimum((np.arange(bins) * levels) // bins, levels - 1)
    filled = (kept > 0).astype(np.float64)
    inside = np.bincount(group, filled, levels)
    mean = np.bincount(group, kept, levels) / np.maximum(inside, 1)
    stepped = mean[group] * filled
    p, q = heaped / heaped.sum(), stepped / max(float(stepped.sum()), 1e-12)
    seen = p > 0
    return float((p[seen] * np.log(p[seen] / np.maximum(q[seen], 1e-9))).sum())
