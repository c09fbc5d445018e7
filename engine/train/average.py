"""A running mean of the weights, and the weights of the best epoch: what is scored and shipped of a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import ModelError
from ..files.store import Weights
from ..kernels.optimise import average_step


class Average:
    """An exponential moving mean of every float array of some nodes.

    Source: Tarvainen & Valpola 2017, arXiv:1703.01780.
    Early steps keep less, (1 + t) / (10 + t), so that the mean does not stand on what the weights began with.

    Attributes:
        arrays: the means, by node and name.
        steps: steps followed.
    """

    def __init__(self, weights: Weights, names: Iterable[str], keep: float) -> None:
        self._weights, self._keep = weights, keep
        self.arrays: Weights = {name: _floats(weights[name]) for name in names}
        self.steps = 0

    def step(self) -> None:
        """Follow the weights by one step."""
        self.steps += 1
        keep = np.float32(min(self._keep, (1 + self.steps) / (10 + self.steps)))
        for name, arrays in self.arrays.items():
            for key, mean in arrays.items():
                average_step(mean.reshape(-1), self._weights[name][key].reshape(-1), keep)

    def over(self) -> Weights:
        """Return the weights with the means in the place of what they are means of."""
        return {n: {**arrays, **self.arrays.get(n, {})} for n, arrays in self._weights.items()}

    def restore(self, arrays: Weights, steps: int) -> None:
        """Go on from means that a checkpoint kept.

        Raises:
            ModelError: they are not those of these weights.
        """
        if any(key not in arrays.get(name, {}) for name, means in self.arrays.items() for key in means):
            words = "The running means in the run file do not fit its graph."
            raise ModelError(words, do="Train anew.")
        self.steps = steps
        for name, means in self.arrays.items():
            for key, mean in means.items():
                mean[...] = arrays[name][key]


@dataclass
class Patience:
    """Waits for a better accuracy, and keeps the weights of the best epoch.

    Attributes:
        most: epochs it waits; 0 waits for ever and keeps nothing.
        accuracy, epoch: the best so far, and after how many epochs.
        waited: epochs since.
        weights: those of the best epoch, as they would be shipped.
    """

    most: int
    accuracy: float = -1.0
    epoch: int = 0
    waited: int = 0
    weights: Weights = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether it has waited for too long."""
        return 0 < self.most <= self.waited

    def see(self, accuracy: float, epoch: int, weights: Weights) -> None:
        """Take note of how an epoch was scored."""
        if not self.most:
            return
        if accuracy > self.accuracy:
            self.accuracy, self.epoch, self.waited = accuracy, epoch, 0
            self.weights = {n: {k: a.copy() for k, a in arrays.items()} for n, arrays in weights.items()}
        else:
            self.waited += 1

    def state(self) -> dict[str, Any]:
        """Return the figures that a checkpoint keeps beside the weights."""
        return {"accuracy": self.accuracy, "epoch": self.epoch, "waited": self.waited}


def _floats(arrays: dict[str, Any]) -> dict[str, Any]:
    return {key: array.copy() for key, array in arrays.items() if array.dtype == np.float32}
