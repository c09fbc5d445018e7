"""What the tests of weight quantizers share: weights, a gradient, and figures of outputs in float64."""

import itertools

import numpy as np

from engine.bnn.weights import WEIGHT_QUANTIZERS
from engine.node import Moment
from engine.precision import PRECISIONS

W = (np.random.default_rng(5).standard_normal((6, 37)) * 0.5).astype(np.float32)
G = np.random.default_rng(6).standard_normal(W.shape).astype(np.float32)


def made(key, width, share=1.0, w=W):
    kind, row = WEIGHT_QUANTIZERS.make(key), PRECISIONS[width]
    quantizer = kind(row, {"weight": w, **kind.start(row, w)}, "clipped")
    quantizer.moment = Moment(share=share)
    return quantizer


def counted(quantized):
    """What weights count, float64."""
    total = np.zeros(quantized.values.shape)
    while quantized is not None:
        total += quantized.values.astype(np.float64) * quantized.scale[:, None]
        if quantized.offset is not None:
            total += quantized.offset[:, None]
        quantized = quantized.more
    return total


def sign(w):
    return np.where(w >= 0, 1.0, -1.0)


def mean(w, axis=1):
    return w.mean(axis=axis, keepdims=True)


def size(w):
    return np.abs(w).mean(axis=1, keepdims=True)


def bounds(width):
    bits = int(width)
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def nearest_sums(w, basis):
    """The sums of +-v_i nearest to each weight, by trying them all."""
    codes = np.array(list(itertools.product((-1, 1), repeat=len(basis))))
    sums = codes @ basis
    place = np.abs(w[:, :, None] - sums.T[:, None]).argmin(axis=2)
    return codes[place], np.take_along_axis(sums.T[:, None].repeat(w.shape[1], 1), place[:, :, None], 2)[
        :, :, 0
    ]


def standard(x):
    return (x - mean(x)) / x.std(axis=1, keepdims=True)


def clip1(x):
    return np.abs(x) <= 1
