"""Families of options: what the inspector may ask of each."""

from __future__ import annotations

import numpy as np
import pytest

from engine.catalog import FAMILIES
from engine.kernels.estimators import ESTIMATORS
from engine.options import Family, Option

XS = np.linspace(-2.0, 2.0, 201)
DRAWN = [
    pytest.param(option, id=f"{family.name}-{option.key}")
    for family in (*FAMILIES.values(), ESTIMATORS)
    for option in family.all()
    if option.curve
]


@pytest.mark.parametrize("option", DRAWN)
def test_a_curve_is_finite_of_the_shape_of_its_xs_and_leaves_them_alone(option: Option[object]) -> None:
    assert option.curve is not None
    xs = XS.copy()
    forward, gradient = option.curve(xs)
    for drawn in (forward, gradient):
        assert drawn.shape == XS.shape
        assert drawn.dtype == np.float64
        assert np.isfinite(drawn).all()
    assert (xs == XS).all()


def test_the_curve_of_an_estimator_is_the_sign_and_its_formula() -> None:
    expected = {
        "clipped": (np.abs(XS) <= 1).astype(float),
        "identity": np.ones_like(XS),
        "approx_sign": np.maximum(0.0, 2.0 - 2.0 * np.abs(XS)),
    }
    for key, gradient in expected.items():
        curve = ESTIMATORS.get_option(key).curve
        assert curve is not None
        forward, drawn = curve(XS)
        assert (forward == np.where(XS >= 0, 1.0, -1.0)).all()
        np.testing.assert_allclose(drawn, gradient, atol=1e-6)


def test_an_option_brings_its_own_curve_or_takes_that_of_its_family() -> None:
    family: Family[str] = Family("a", "A", curve_of=lambda _made: lambda xs: (xs, xs))
    family.option("of_family", "One", formula="x")("one")
    family.option("own", "Two", formula="x", group="Late", curve=lambda xs: (2 * xs, xs))("two")
    curves = [option.curve for option in family.all()]
    assert [curve(XS)[0][-1] for curve in curves if curve] == [2.0, 4.0]
    assert [option.group for option in family.all()] == ["", "Late"]
    assert Family("b", "B").all() == ()
