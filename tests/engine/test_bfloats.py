"""kernels/bfloats.py: rounding to bfloat16 and products of it against plain NumPy."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import hardware
from engine.catalog import NODES
from engine.hardware import gradient_product
from engine.kernels import bfloats, families
from engine.kernels.bfloats import matmul, rounded
from engine.node import Moment
from engine.ports import Spec
from engine.train.loop import train

sizes = st.tuples(st.integers(1, 9), st.integers(1, 70), st.integers(1, 40), st.integers(0, 2**32 - 1))


def nearest(x):
    """Return what bfloat16 makes of float32, by the distances to the two neighbours."""
    below = (x.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    above = ((below.view(np.uint32) >> np.uint32(16)) + np.uint32(1) << np.uint32(16)).view(np.float32)
    near, far = (abs(x.astype(np.float64) - end.astype(np.float64)) for end in (below, above))
    even = (below.view(np.uint32) >> np.uint32(16)) % 2 == 0
    return np.where((near < far) | ((near == far) & even), below, above)


@settings(deadline=None, max_examples=50)
@given(st.floats(-(2.0**100), 2.0**100, width=32), st.integers(0, 3))
def test_the_nearest_is_taken_and_halves_go_to_even(x, half):
    bits = np.array([x], np.float32).view(np.uint32)
    if half == 0:
        bits = (bits & np.uint32(0xFFFF0000)) | np.uint32(0x8000)
    x = bits.view(np.float32)
    found = (np.array([rounded(bits[0])]).astype(np.uint32) << np.uint32(16)).view(np.float32)
    assert found == nearest(x)


@pytest.mark.parametrize("x", [np.inf, -np.inf, 0.0, -0.0])
def test_infinities_and_zeros_stay(x):
    bits = np.array([x], np.float32).view(np.uint32)[0]
    assert int(rounded(bits)) << 16 == int(bits)


def test_no_number_stays_none():
    for bits in (0x7F800001, 0x7FFFFFFF, 0xFFFFFFFF):
        found = np.array([int(rounded(np.uint32(bits))) << 16], np.uint32).view(np.float32)
        assert np.isnan(found[0])


@settings(deadline=None, max_examples=30)
@given(sizes)
def test_products_are_those_of_the_rounded_numbers(size):
    n, m, k, seed = size
    rng = np.random.default_rng(seed)
    a, b = (rng.standard_normal(shape).astype(np.float32) for shape in ((k, n), (k, m)))
    out = np.empty((m, n), np.float32).T
    matmul(a.T, b, out)
    exact = nearest(a).astype(np.float64).T @ nearest(b).astype(np.float64)
    sizes = abs(nearest(a).astype(np.float64)).T @ abs(nearest(b).astype(np.float64))
    assert (abs(out - exact) <= 2.0**-22 * (k + 1) * sizes).all()


@pytest.mark.parametrize("narrow", [False, True])
def test_a_product_of_gradients_is_near_that_of_floats(narrow):
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(shape).astype(np.float32) for shape in ((40, 30), (30, 20)))
    out = np.empty((40, 20), np.float32)
    gradient_product(a, b, out, bfloat16=narrow)
    assert abs(out - a @ b).max() <= (2.0**-7 * (abs(a) @ abs(b)).max() if narrow else 0)


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize(
    ("kind", "fields", "shape", "products"),
    [
        ("bnn.attention", {"heads": 2, "head_size": 4}, (9, 6), 4 * 5),  # two heads of five records
        ("bnn.local_conv", {"filters": 3}, (5, 5, 2), 2 * 25),
        ("bnn.transposed_conv", {"filters": 3}, (5, 5, 2), 2),
    ],
)
def test_layers_with_products_of_their_own_round_them_where_they_may(
    kind, fields, shape, products, narrow, monkeypatch
):
    counts = []
    chosen = replace(hardware.choose("floats"), kernel=families.BFLOAT16)
    monkeypatch.setattr(hardware, "choose", lambda family, rows=1: chosen)
    monkeypatch.setattr(hardware, "_MANY", 1)
    monkeypatch.setattr(bfloats, "matmul", lambda a, b, out: (counts.append(out.shape), matmul(a, b, out)))
    rng, spec = np.random.default_rng(0), Spec("real", shape)
    node = NODES[kind].of(fields)
    x = rng.standard_normal((5, *shape)).astype(np.float32)
    found = []
    for moment in (Moment(), Moment(bfloat16=narrow)):
        operator = node.operator(node.start(np.random.default_rng(1), spec), 5, spec)
        operator.moment = moment
        (out,) = operator.execute(x)
        grad = np.random.default_rng(2).standard_normal(out.shape).astype(np.float32)
        before = len(counts)
        found.append(operator.gradient(grad)[0])
    assert (len(counts) - before >= products) if narrow else not counts
    assert np.abs(found[0] - found[1]).max() <= (0.1 * np.abs(found[0]).max() if narrow else 0)


@pytest.mark.parametrize(("wanted", "taken"), [("float32", False), ("bfloat16", True)])
def test_a_training_rounds_products_of_gradients_only_where_it_is_told_to(
    wanted, taken, binary_project, monkeypatch
):
    """As on a host where products of bfloat16 are the fastest."""
    shapes = []

    def counted(a, b, out):
        shapes.append(out.shape)
        matmul(a, b, out)

    chosen = replace(hardware.choose("floats"), kernel=families.BFLOAT16)
    monkeypatch.setattr(hardware, "choose", lambda family, rows=1: chosen)
    monkeypatch.setattr(hardware, "_MANY", 1)
    monkeypatch.setattr(bfloats, "matmul", counted)
    training = replace(
        binary_project.training, gradient_products=wanted, stages="weights", float_epochs=1, epochs=3
    )
    list(train(replace(binary_project, training=training)))
    assert bool(shapes) == taken
