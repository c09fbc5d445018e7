"""Adam over every trainable array of a plan, with its state as arrays that a checkpoint can keep."""

from __future__ import annotations

import numpy as np

from ..errors import ModelError
from ..kernels.optimise import adam_step
from ..node import Parameter
from ..ports import F32, Arrays

_BETAS = np.array([0.9, 0.999])


class Adam:
    """Adam with decoupled weight decay on float weights, and latent weights of 1-bit layers clipped.

    Sources: Kingma & Ba 2015, arXiv:1412.6980; Loshchilov & Hutter 2019, arXiv:1711.05101; clipping:
    Courbariaux et al. 2015, arXiv:1511.00363.

    Attributes:
        steps: steps taken.
    """

    def __init__(self, parameters: dict[str, Parameter], decay: float) -> None:
        self._parameters, self._decay = parameters, decay
        self._moments: dict[str, F32] = {
            k: np.zeros((2, p.value.size), np.float32) for k, p in parameters.items()
        }
        self.steps = 0

    def step(self, rate: float) -> None:
        """Move every array one step at learning rate `rate`."""
        self.steps += 1
        correct = (1 / (1 - _BETAS**self.steps)).astype(np.float32)
        for key, p in self._parameters.items():
            low = p.floor if p.floor is not None else -np.inf
            bounds = np.array([low, np.inf], np.float32)
            if p.limit is not None:
                bounds[:] = (-p.limit, p.limit)
            # Decay pulls weights; not biases, nor latent weights of signs, whose size means nothing.
            decay = self._decay if p.value.ndim > 1 and p.limit is None else 0.0
            adam_step(
                p.value.reshape(-1),
                p.grad.reshape(-1),
                self._moments[key],
                np.float32(rate),
                correct,
                np.float32(decay),
                bounds,
            )

    def state(self) -> Arrays:
        """Return the moments by parameter key, and the step count as `steps`."""
        return {**self._moments, "steps": np.array(self.steps, np.int64)}

    def restore(self, state: Arrays) -> None:
        """Take over what `state` gave.

        Raises:
            ModelError: it is not the state of an optimiser of these parameters.
        """
        wanted = {"steps": (), **{key: moments.shape for key, moments in self._moments.items()}}
        if any(key not in state or state[key].shape != shape for key, shape in wanted.items()):
            words = "The optimiser's state in the run file does not fit its graph."
            raise ModelError(words, do="Train anew.")
        self.steps = int(state["steps"])
        for key, moments in self._moments.items():
            moments[...] = state[key]
