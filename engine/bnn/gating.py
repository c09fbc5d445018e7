"""What the gates share: means over a map, two small float layers, and a share of 0 to 1 for each channel."""

from __future__ import annotations

import numpy as np

from ..kernels.curves import channel_means, sigmoid
from ..kernels.floats import dot_floats
from ..node import Parameter
from ..ports import F32, Array, Arrays, Spec

CURVES = {"sigmoid": "Sigmoid: 1 / (1 + e^-x)", "hard_sigmoid": "Hard sigmoid: clip((x + 3) / 6, 0, 1)"}
_SIXTH = np.float32(1 / 6)


def hidden_of(channels: int, ratio: int) -> int:
    """Return how many numbers stand between the two layers of a gate."""
    return max(1, channels // ratio)


def gate_arrays(rng: np.random.Generator, seen: int, gated: int, hidden: int) -> Arrays:
    """Return fresh weights of a gate that looks at `seen` channels and scales `gated`; He et al. 2015."""
    return {
        "squeeze": (rng.standard_normal((hidden, seen)) * np.sqrt(2 / seen)).astype(np.float32),
        "squeeze_bias": np.zeros(hidden, np.float32),
        "expand": (rng.standard_normal((gated, hidden)) * np.sqrt(2 / hidden)).astype(np.float32),
        "expand_bias": np.zeros(gated, np.float32),
    }


def gate_bits(seen: int, gated: int, hidden: int) -> int:
    """Return the bits of a gate's weights."""
    return 32 * (hidden * seen + hidden + gated * hidden + gated)


def places(x: Array, spec: Spec) -> F32:
    """Return maps as float32 (n, places, channels)."""
    return np.ascontiguousarray(x, np.float32).reshape(len(x), -1, spec.shape[-1])


class ShippedGate:
    """The gate of an exported model: sums in one fixed order."""

    def __init__(self, packed: Arrays, curve: str) -> None:
        self._first = np.ascontiguousarray(packed["squeeze"].T)
        self._second = np.ascontiguousarray(packed["expand"].T)
        self._biases = packed["squeeze_bias"], packed["expand_bias"]
        self._curve = curve

    def __call__(self, x: F32) -> F32:
        """Return the shares, float32 (n, 1, gated), for maps `x`, float32 (n, places, seen)."""
        means = np.empty((len(x), x.shape[2]), np.float32)
        channel_means(x, means)
        hidden = np.empty((len(x), self._first.shape[1]), np.float32)
        dot_floats(means, self._first, hidden)
        hidden = np.maximum(hidden + self._biases[0], np.float32(0))
        out = np.empty((len(x), self._second.shape[1]), np.float32)
        dot_floats(hidden, self._second, out)
        out += self._biases[1]
        if self._curve == "sigmoid":
            sigmoid(out.ravel(), out.ravel())
        else:
            out = np.clip((out + np.float32(3)) * _SIXTH, np.float32(0), np.float32(1))
        return out[:, None, :]


class Gate:
    """The gate in training."""

    def __init__(self, weights: Arrays, curve: str, *, bias: bool) -> None:
        self._weights, self._curve = weights, curve
        learned = ("squeeze", "expand", *(("squeeze_bias", "expand_bias") if bias else ()))
        self._grads = {name: np.zeros_like(weights[name]) for name in learned}
        self._means: F32 = np.empty((0, 0), np.float32)
        self._hidden = self._shares = self._slopes = self._means
        self._places = 1

    def parameters(self) -> tuple[Parameter, ...]:
        """Return the weights of the two layers."""
        return tuple(Parameter(n, self._weights[n], g) for n, g in self._grads.items())

    def forward(self, x: F32) -> F32:
        """Return the shares, float32 (n, 1, gated), for maps `x`, float32 (n, places, seen)."""
        w = self._weights
        self._places = x.shape[1]
        self._means = x.mean(axis=1)
        self._hidden = np.maximum(self._means @ w["squeeze"].T + w["squeeze_bias"], 0)
        sums = self._hidden @ w["expand"].T + w["expand_bias"]
        if self._curve == "sigmoid":
            with np.errstate(over="ignore"):  # e^-x is infinite where the share is 0
                self._shares = np.reciprocal(1 + np.exp(-sums), dtype=np.float32)
            self._slopes = self._shares * (1 - self._shares)
        else:
            self._shares = np.clip((sums + 3) * _SIXTH, np.float32(0), np.float32(1))
            self._slopes = np.where(np.abs(sums) < 3, _SIXTH, np.float32(0))
        return self._shares[:, None, :]

    def backward(self, grad: F32) -> F32:
        """Return dL/dx, float32 (n, 1, seen) for every place alike, for `grad`, dL/dshares (n, gated)."""
        w = self._weights
        d_sums = grad * self._slopes
        d_hidden = (d_sums @ w["expand"]) * (self._hidden > 0)
        np.matmul(d_hidden.T, self._means, out=self._grads["squeeze"])
        np.matmul(d_sums.T, self._hidden, out=self._grads["expand"])
        if "expand_bias" in self._grads:
            np.sum(d_hidden, axis=0, out=self._grads["squeeze_bias"])
            np.sum(d_sums, axis=0, out=self._grads["expand_bias"])
        back: F32 = (d_hidden @ w["squeeze"]) / np.float32(self._places)
        return back[:, None, :]

    def stop(self) -> None:
        """Zero every gradient: nothing comes back in this step."""
        for g in self._grads.values():
            g.fill(0)

    def metrics(self) -> dict[str, float]:
        """Return the mean share of the last batch."""
        return {"gate": float(self._shares.mean())} if self._shares.size else {}
