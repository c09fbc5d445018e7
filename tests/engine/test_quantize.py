"""bnn/quantize.py and bnn/sign.py against the formulas of their papers."""

import numpy as np
import pytest

from engine.bnn.quantize import Quantize
from engine.bnn.sign import Sign
from engine.convert import bits_as_real
from engine.ports import Spec
from engine.precision import PRECISIONS

SPEC = Spec("real", (7, 11))
X = (np.random.default_rng(0).standard_normal((5, 7, 11)) * 1.2).astype(np.float32)


def real_output(node):
    (y,) = node.predictor({}, SPEC)(X)
    (spec,) = node.specs(SPEC)
    return bits_as_real(y, spec)


def expected(bits):
    row = PRECISIONS[bits]
    if row.binary:
        return np.where(X >= 0, 1.0, -1.0)
    if row.is_float:
        return X.astype(np.float16 if row.store == "half" else np.float32)
    if bits == "ternary":
        return np.rint(np.clip(X, -1, 1))
    n = 2 ** int(bits) - 1
    return np.rint(n * np.clip(X, 0, 1).astype(np.float64)) / n


@pytest.mark.parametrize("bits", PRECISIONS)
def test_levels_are_those_of_dorefa(bits):
    node = Quantize(bits=bits)
    assert np.allclose(real_output(node), expected(bits), atol=1e-6)
    (trained,) = node.operator({}, 5, SPEC).execute(X)
    assert trained.tobytes() == node.predictor({}, SPEC)(X)[0].tobytes()


@pytest.mark.parametrize("bits", PRECISIONS)
def test_the_gradient_passes_where_nothing_is_clipped(bits):
    operator = Quantize(bits=bits).operator({}, 5, SPEC)
    operator.execute(X)
    dy = np.random.default_rng(1).standard_normal(X.shape).astype(np.float32)
    (dx,) = operator.gradient(dy)
    row = PRECISIONS[bits]
    inside = np.abs(X) <= 1 if row.low == -1 else (X >= 0) & (X <= 1)
    assert np.allclose(dx, dy if row.is_float else dy * inside)


def test_sign_counts_what_its_estimator_stops():
    operator = Sign().operator({}, 5, SPEC)
    operator.execute(X)
    assert operator.metrics()["saturated"] == pytest.approx(float((np.abs(X) > 1).mean()))
