"""Finite differences of an operator: what its gradients must be, for the tests of layers."""

import numpy as np
import pytest

STEP = 2.0**-7  # powers of 2 are added without rounding to small numbers


def assert_gradients(node, specs, arrays, *, weights=None, rng=None, wobble=None, places=6, tolerance=3e-3):
    """Compare the gradients of inputs and parameters at a few places with finite differences.

    `arrays` are the real inputs; integer or packed ones are held. `wobble` is called on the operator before
    every forward pass, to start its chance anew. Functions with a bend must be given numbers away from it.
    """
    rng = rng or np.random.default_rng(7)
    weights = node.start(rng, *specs) if weights is None else weights
    operator = node.operator(weights, len(arrays[0]), *specs)

    def forward():
        if wobble:
            wobble(operator)
        return [np.array(a, np.float64) for a in operator.execute(*arrays)]

    outputs = forward()
    grads = [rng.standard_normal(a.shape).astype(np.float32) for a in outputs]
    back = [None if g is None else g.copy() for g in operator.gradient(*grads)]
    learned = {p.name: (p.value, p.grad.copy()) for p in operator.parameters()}

    def loss():
        return sum(float((a * g).sum()) for a, g in zip(forward(), grads, strict=True))

    pairs = [(a, g) for a, g in zip(arrays, back, strict=True) if g is not None and a.dtype == np.float32]
    for values, grad in [*pairs, *learned.values()]:
        flat = values.reshape(-1)
        for at in rng.choice(flat.size, min(places, flat.size), replace=False):
            kept = flat[at]
            flat[at] = kept + STEP
            up = loss()
            flat[at] = kept - STEP
            down = loss()
            flat[at] = kept
            found = (up - down) / (2 * STEP)
            assert float(grad.reshape(-1)[at]) == pytest.approx(found, rel=tolerance * 3, abs=tolerance)
    return operator
