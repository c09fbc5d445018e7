"""bnn/pooling.py against plain loops, and backward by finite differences."""

from itertools import product

import numpy as np
import pytest
from maps import packed_signs

from engine.bnn.pooling import AveragePool, GlobalPool, MaxPool
from engine.node import ShapeError
from engine.ports import Spec

N = 3
CASES = [{}, {"size": 3, "stride": 2}, {"padding": "same"}, {"size": 3, "stride": 1, "padding": "same"}]


def direct(x, size, stride, padding, reduce):
    spatial = x.shape[1:-1]
    if padding == "same":
        out = [-(-s // stride) for s in spatial]
        before = [max(0, (o - 1) * stride + size - s) // 2 for o, s in zip(out, spatial, strict=True)]
    else:
        out, before = [(s - size) // stride + 1 for s in spatial], [0] * len(spatial)
    y = np.zeros((len(x), *out, x.shape[-1]))
    for place in product(*map(range, out)):
        window = tuple(
            slice(max(0, p * stride - b), max(0, p * stride - b + size))
            for p, b in zip(place, before, strict=True)
        )
        y[(slice(None), *place)] = reduce(x[(slice(None), *window)], axis=tuple(range(1, len(spatial) + 1)))
    return y


def reals(shape, seed=1):
    return np.random.default_rng(seed).standard_normal((N, *shape)).astype(np.float32)


def outputs(node, spec, x):
    (shipped,) = node.predictor({}, spec)(x)
    (trained,) = node.operator({}, N, spec).execute(x)
    assert trained.tobytes() == shipped.tobytes()
    return shipped


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("axes", "shape"), [("1", (9, 5)), ("2", (7, 6, 5)), ("3", (5, 4, 6, 2))])
@pytest.mark.parametrize(("kind", "reduce"), [(MaxPool, np.max), (AveragePool, np.mean)])
def test_pools_of_real_maps(kind, reduce, axes, shape, case):
    node, spec, x = kind(axes=axes, **case), Spec("real", shape), reals(shape)
    expected = direct(x, node.size, node.stride or node.size, node.padding, reduce)
    y = outputs(node, spec, x)
    assert y.shape[1:] == node.specs(spec)[0].shape
    assert np.allclose(y, expected, atol=1e-6)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("channels", [1, 5, 32, 64, 70])
def test_the_largest_of_bits_stays_packed(channels, case):
    shape = (6, 5, channels)
    node, spec, x = MaxPool(**case), Spec("bits", shape, "1", low=-1), reals(shape)
    expected = direct(np.where(x >= 0, 1, -1), node.size, node.stride or node.size, node.padding, np.max)
    y = outputs(node, spec, packed_signs(x))
    assert y.tobytes() == packed_signs(expected).tobytes()
    assert node.specs(spec)[0].precision == "1"


def test_levels_keep_their_type_under_max_and_become_numbers_under_mean():
    spec = Spec("bits", (4, 6, 3), "4", step=1 / 15)
    x = np.random.default_rng(0).integers(0, 16, (N, 4, 6, 3)).astype(np.int16)
    largest = outputs(MaxPool(), spec, x)
    assert largest.dtype == np.int16
    assert (largest == direct(x, 2, 2, "valid", np.max)).all()
    assert np.allclose(outputs(AveragePool(), spec, x), direct(x / 15, 2, 2, "valid", np.mean), atol=1e-6)


def test_the_mean_of_bits_is_of_signs():
    shape = (4, 4, 3)
    x = reals(shape)
    y = outputs(AveragePool(), Spec("bits", shape, "1", low=-1), packed_signs(x))
    assert np.allclose(y, direct(np.where(x >= 0, 1.0, -1.0), 2, 2, "valid", np.mean))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", [MaxPool, AveragePool])
def test_gradients_pass_finite_differences(kind, case):
    node, spec, x = kind(**case), Spec("real", (5, 6, 2)), reals((5, 6, 2))
    operator = node.operator({}, N, spec)
    (y,) = operator.execute(x)
    dy = reals(y.shape[1:], 3)
    (dx,) = operator.gradient(dy)
    reduce = np.max if kind is MaxPool else np.mean
    for at in np.ndindex(2, 5, 6, 2):
        moved = x.astype(np.float64)
        moved[at] += 1e-6
        up = (direct(moved, node.size, node.stride or node.size, node.padding, reduce) * dy).sum()
        moved[at] -= 2e-6
        down = (direct(moved, node.size, node.stride or node.size, node.padding, reduce) * dy).sum()
        assert (up - down) / 2e-6 == pytest.approx(float(dx[at]), abs=1e-4)


def test_the_gradient_of_packed_bits_goes_to_the_first_that_is_set():
    x = -np.ones((1, 2, 2, 1), np.float32)
    x[0, 0, 1, 0] = x[0, 1, 0, 0] = 1
    operator = MaxPool().operator({}, 1, Spec("bits", (2, 2, 1), "1", low=-1))
    operator.execute(packed_signs(x))
    (dx,) = operator.gradient(np.full((1, 1, 1, 1), 5, np.float32))
    assert dx.ravel().tolist() == [0, 5, 0, 0]


@pytest.mark.parametrize(("how", "reduce"), [("mean", np.mean), ("max", np.max)])
def test_a_global_pool_leaves_the_channels(how, reduce):
    node, spec, x = GlobalPool(how=how), Spec("real", (4, 5, 7)), reals((4, 5, 7))
    y = outputs(node, spec, x)
    assert y.shape == (N, 7)
    assert np.allclose(y, reduce(x, axis=(1, 2)), atol=1e-6)
    bits = Spec("bits", (4, 5, 7), "1", low=-1)
    y = outputs(node, bits, packed_signs(x))
    expected = reduce(np.where(x >= 0, 1.0, -1.0), axis=(1, 2))
    assert (y == packed_signs(expected)).all() if how == "max" else np.allclose(y, expected)


def test_what_does_not_fit_is_said():
    with pytest.raises(ShapeError, match="does not fit into 2 × 3"):
        MaxPool(size=4).specs(Spec("real", (2, 3, 5)))
    with pytest.raises(ShapeError, match="channels last; these are real 70"):
        GlobalPool().specs(Spec("real", (70,)))


@pytest.mark.parametrize(("size", "shape"), [(2, (6, 4, 5)), (3, (6, 3, 2)), (2, (7, 4, 5))])
def test_a_map_that_nobody_reads_again_is_overwritten_by_its_gradient(size, shape):
    node, spec = MaxPool(size=size, stride=size), Spec("real", shape)
    x = np.round(reals(shape), 1)  # some windows hold their largest twice
    found = []
    for spare in (False, True):
        operator, seen = node.operator({}, N, spec), x.copy()
        operator.input_spare = spare
        (y,) = operator.execute(seen)
        grad = np.random.default_rng(2).standard_normal(y.shape).astype(np.float32)
        (back,) = operator.gradient(grad)
        found.append(back.copy())
        covered = shape[0] % size == 0
        assert np.shares_memory(back, seen) == (spare and covered)
    assert np.array_equal(found[0], found[1])
