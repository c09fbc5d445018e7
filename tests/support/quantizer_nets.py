"""Every option of the quantizers at every width it serves, and a tiny net on the digits to try one in."""

from pathlib import Path

import numpy as np

from engine.bnn.activations import ACTIVATION_QUANTIZERS
from engine.bnn.batch_norm import BatchNorm
from engine.bnn.dense import Dense
from engine.bnn.weights import WEIGHT_QUANTIZERS
from engine.node import Moment
from engine.ports import Spec

WEIGHTS = [(o.key, width) for o in WEIGHT_QUANTIZERS.all() for width in o.serves]
ACTIVATIONS = [(o.key, width) for o in ACTIVATION_QUANTIZERS.all() for width in o.serves]
DIGITS = Path(__file__).parents[2] / "projects" / "digits" / "digits.npz"


def digits():
    """Return standardised digits, float32 (n, 64), and their classes, split into train and test."""
    with np.load(DIGITS) as file:
        names = sorted(file.files, key=lambda name: file[name].ndim)
        x, y = file[names[-1]], file[names[0]]
    x = x.reshape(len(x), -1).astype(np.float32)
    x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1)
    order = np.random.default_rng(0).permutation(len(x))
    x, y = np.ascontiguousarray(x[order]), y[order].astype(np.int64)
    return x[:1000], y[:1000], x[1000:], y[1000:]


def accuracy(steps=40, batch=100, hidden=48, **fields):
    """Train dense, batch norm, dense for some steps of Adam; return the shipped accuracy on unseen digits."""
    x, y, test_x, test_y = digits()
    specs = [Spec("real", (64,)), Spec("real", (hidden,)), Spec("real", (hidden,))]
    nodes = [Dense(units=hidden, **fields), BatchNorm(), Dense(units=10, weight_bits="32")]
    weights = [n.start(np.random.default_rng(1), s) for n, s in zip(nodes, specs, strict=True)]
    operators = [n.operator(w, batch, s) for n, w, s in zip(nodes, weights, specs, strict=True)]
    moments = {}
    for step in range(1, steps + 1):
        at = np.random.default_rng(step).integers(0, len(x), batch)
        value = x[at]
        for operator in operators:
            operator.moment = Moment(share=step / steps)
            (value,) = operator.execute(value)
        soft = np.exp(value - value.max(axis=1, keepdims=True))
        grad = soft / soft.sum(axis=1, keepdims=True)
        grad[np.arange(batch), y[at]] -= 1
        grad = (grad / batch).astype(np.float32)
        for operator in reversed(operators):
            (grad,) = operator.gradient(grad)
        for i, operator in enumerate(operators):
            for p in operator.parameters():
                adam(p, moments.setdefault((i, p.name), [0.0, 0.0]), step)
    value = test_x
    for node, w, spec in zip(nodes, weights, specs, strict=True):
        (value,) = node.predictor(node.pack(w, spec), spec)(value)
    return float((value.argmax(axis=1) == test_y).mean())


def adam(parameter, moments, step, rate=0.01):
    """Move a parameter one step, in its limits."""
    moments[0] = 0.9 * moments[0] + 0.1 * parameter.grad
    moments[1] = 0.999 * moments[1] + 0.001 * parameter.grad**2
    size = np.sqrt(moments[1] / (1 - 0.999**step)) + 1e-8
    parameter.value -= (rate * moments[0] / (1 - 0.9**step) / size).astype(np.float32)
    if parameter.limit is not None:
        np.clip(parameter.value, -parameter.limit, parameter.limit, out=parameter.value)
    if parameter.floor is not None:
        np.maximum(parameter.value, parameter.floor, out=parameter.value)
