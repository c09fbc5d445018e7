"""The optimiser of a run: every trainable array, in two groups, with its state as arrays for checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from ..errors import ModelError
from ..kernels.threads import share
from ..limits import FOLLOW, LIMITS, SAMPLE
from ..node import Parameter
from ..optimisers import OPTIMISERS, Knobs, Optimiser
from ..ports import F32, Arrays
from ..settings import Training

_LEAST = 1 << 15  # numbers that are worth a thread


@dataclass
class _Member:
    """One parameter with what moves it."""

    value: F32
    grad: F32
    state: F32
    bounds: F32
    decay: float
    rule: Optimiser
    share: float  # of the run's rate
    limit: float  # its own, or infinite
    sample: F32  # room to look at some of the values, where the limit follows them
    relative: bool  # the rate is a share of the values' mean size
    waits: bool  # for a first value above its floor, which the layer finds when it first quantizes
    reach: float = np.inf  # the limit that its values speak for, followed slowly

    def move(self, rate: float, begin: int, end: int) -> None:
        """Move a part of the array."""
        rows = [row[begin:end] for row in self.state]
        value, grad = self.value[begin:end], self.grad[begin:end]
        self.rule.move(value, grad, rows, rate, self.decay, self.bounds)

    def pace(self, rate: float) -> float:
        """Return its own rate where that of the run is `rate`."""
        size = float(np.abs(self.value).mean()) if self.relative else 1.0
        return rate * self.share * size


class Grouped:
    """Moves 1-bit weights by one optimiser, all others by another (or all by one).

    Decay pulls weights; not biases. The latent weights of signs, whose size means little, have a decay of
    their own and are kept within their limit (Courbariaux et al. 2015, arXiv:1511.00363).

    Attributes:
        steps: steps taken.
    """

    def __init__(self, parameters: dict[str, Parameter], settings: Training, *, signs: bool = True) -> None:
        """Begin with no state.

        Args:
            parameters: what is moved, by key.
            settings: which optimisers, rates and decays.
            signs: whether 1-bit weights count by their signs now; where not, they move like all others.
        """
        knobs = Knobs(settings.momentum, settings.flip_threshold)
        rules = {key: OPTIMISERS.make(key)(knobs) for key in (settings.optimiser, settings.for_signs)}
        self._rules = tuple(rules.values())
        self._members: dict[str, _Member] = {}
        for key, p in parameters.items():
            apart = p.binary and signs
            rule = rules[settings.for_signs if apart else settings.optimiser]
            decay = settings.binary_decay if apart else settings.weight_decay if p.value.ndim > 1 else 0.0
            self._members[key] = _Member(
                value=p.value.reshape(-1),
                grad=p.grad.reshape(-1),
                state=np.zeros((rule.rows, p.value.size), np.float32),
                bounds=_bounds(p),
                decay=decay,
                rule=rule,
                share=settings.sign_rate / settings.rate if apart else 1.0,
                limit=np.inf if p.limit is None else p.limit,
                sample=np.empty(min(SAMPLE, p.value.size), np.float32),
                relative=p.relative and rule.adaptive,
                waits=p.floor is not None and p.floor > 0,
            )
        self._follows = settings.limit if settings.limit != "fixed" else ""
        self._limit_at = settings.limit_at
        self._latent = [self._members[k] for k, p in parameters.items() if p.binary and signs]
        self.steps = 0

    def step(self, rate: float) -> None:
        """Move every array one step; `rate` is that of the arrays that are no 1-bit weights."""
        self.steps += 1
        for rule in self._rules:
            rule.begin(self.steps)
        for m in self._members.values():
            if not m.waits or m.value.any():
                share(partial(m.move, m.pace(rate)), m.value.size, least=_LEAST)
        if self._follows:
            for m in self._latent:
                self._follow(m)

    def state(self) -> Arrays:
        """Return the state by parameter key, float32 (rows, n), and the step count as `steps`."""
        kept: Arrays = {k: m.state for k, m in self._members.items()}
        if self._follows:
            kept["limits"] = np.array([m.reach for m in self._latent])
        return {**kept, "steps": np.array(self.steps, np.int64)}

    def restore(self, state: Arrays) -> None:
        """Take over what `state` gave.

        Raises:
            ModelError: it is not the state of an optimiser of these parameters.
        """
        wanted = {key: array.shape for key, array in self.state().items()}
        if any(key not in state or state[key].shape != shape for key, shape in wanted.items()):
            words = "The optimiser's state in the run file does not fit its graph."
            raise ModelError(words, do="Train anew.")
        self.steps = int(state["steps"])
        for key, m in self._members.items():
            m.state[...] = state[key]
        for m, reach in zip(self._latent, state.get("limits", ()), strict=bool(self._follows)):
            m.reach = float(reach)
            self._bound(m)

    def adopt(self, other: Grouped) -> None:
        """Go on with the state of another optimiser of much the same arrays, as far as it fits."""
        self.steps, kept = other.steps, other.state()
        for key, m in self._members.items():
            if key in kept and kept[key].shape == m.state.shape:
                m.state[...] = kept[key]

    def _follow(self, m: _Member) -> None:
        """Let the limit of latent weights follow what they speak for."""
        stride = max(1, m.value.size // m.sample.size)
        np.copyto(m.sample, m.value[::stride][: m.sample.size])
        told = LIMITS.make(self._follows)(m.sample, self._limit_at)
        m.reach = told if np.isinf(m.reach) else m.reach + FOLLOW * (told - m.reach)
        self._bound(m)

    def _bound(self, m: _Member) -> None:
        limit = min(m.limit, m.reach)
        m.bounds[:] = (-limit, limit)


def _bounds(p: Parameter) -> F32:
    limit = np.inf if p.limit is None else p.limit
    return np.array([-limit if p.floor is None else max(-limit, p.floor), limit], np.float32)
