"""What an encoder takes a number for: an intensity from 0 to 1 within the range of the training records."""

from __future__ import annotations

import numpy as np

from ..ports import F32

LIMITS = {
    "feature": "Each feature's own range",
    "all": "One range for all features",
    "given": "0 to 1, as given",
}


def unit_span(features: int) -> F32:
    """Return the range 0 to 1 of every feature, float32 (2, features)."""
    span = np.zeros((2, features), np.float32)
    span[1] = 1
    return span


def fitted_span(x: F32, limits: str, span: F32) -> F32:
    """Return lowest and highest value, float32 (2, features), of records (n, ...); gaps are passed over.

    Args:
        x: the training records.
        limits: a key of LIMITS.
        span: what is returned where the range is given.
    """
    if limits == "given":
        return span
    flat = x.reshape(len(x), -1)
    low, high = np.fmin.reduce(flat, axis=0), np.fmax.reduce(flat, axis=0)
    if limits == "all":
        low, high = np.full_like(low, np.fmin.reduce(low)), np.full_like(high, np.fmax.reduce(high))
    return np.stack([low, high]).astype(np.float32)


def intensity(x: F32, span: F32) -> F32:
    """Return records (n, ...) as intensities, float32 (n, features); a gap or a lone value gives 0."""
    flat = np.ascontiguousarray(x, np.float32).reshape(len(x), -1)
    out = np.clip((flat - span[0]) / _width(span), np.float32(0), np.float32(1))
    out[np.isnan(out)] = 0
    return np.asarray(out, np.float32)


def intensity_gradient(x: F32, span: F32, grad: F32) -> F32:
    """Return dL/dx, float32 (n, features), for `grad`, dL/d(intensity): 0 where the range clips."""
    flat = x.reshape(len(x), -1)
    inside = (flat >= span[0]) & (flat <= span[1])
    return np.where(inside, grad / _width(span), np.float32(0))


def _width(span: F32) -> F32:
    """Return the width of every feature's range; infinite where it holds one value or none."""
    width = span[1] - span[0]
    return np.where(width > 0, width, np.float32(np.inf))
