"""Flatten: the order of elements, packed bits untouched, and the gradient in the old shape."""

from __future__ import annotations

import numpy as np
import pytest

from engine.flow.flatten import Flatten
from engine.kernels.bits import pack_signs
from engine.ports import Spec


def test_the_last_axis_runs_fastest() -> None:
    spec = Spec("real", (2, 3))
    x = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    assert Flatten().specs(spec) == (Spec("real", (6,)),)
    assert Flatten().predictor({}, spec)(x)[0].tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]


@pytest.mark.parametrize("precision", ["1", "4"])
def test_bits_keep_type_and_width(precision: str) -> None:
    spec = Spec("bits", (5, 15), precision, step=0.5, low=-1)
    (out,) = Flatten().specs(spec)
    assert (out.type, out.shape, out.precision, out.step, out.low) == ("bits", (75,), precision, 0.5, -1)
    array = spec.array(3)
    if spec.packed:
        pack_signs(np.random.default_rng(0).normal(size=(3, 75)).astype(np.float32), array)
    flat = Flatten().predictor({}, spec)(array)[0]
    assert flat.shape == out.array(3).shape
    assert flat.tobytes() == array.tobytes()


def test_the_gradient_gets_the_old_shape_back() -> None:
    spec = Spec("bits", (2, 3), "1")
    operator = Flatten().operator({}, 4, spec)
    assert operator.execute(spec.array(2))[0].shape == (2, 1)
    (back,) = operator.gradient(np.arange(12, dtype=np.float32).reshape(2, 6))
    assert back.shape == (2, 2, 3)
    assert back[1, 1, 2] == 11
    assert operator.gradient(None) == (None,)
