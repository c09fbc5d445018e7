"""kernels/float_products.py gives the bits of the plain fixed-order products."""

import numpy as np
import pytest

from engine.kernels import conv
from engine.kernels.conv import dot_patches
from engine.kernels.float_products import patch_gradients, patch_products, row_products
from engine.kernels.floats import dot_floats


@pytest.mark.parametrize(
    ("n", "k", "m"), [(1, 40, 10), (16, 16, 1), (37, 50, 10), (40, 15, 24), (20, 64, 25)]
)
def test_that_rows_have_the_bits_of_the_plain_product(n, k, m):
    rng = np.random.default_rng(n)
    x, w_t = rng.standard_normal((n, k)).astype(np.float32), rng.standard_normal((k, m)).astype(np.float32)
    x[0, :3] = (0.0, -0.0, 1e30)
    plain, found = np.empty((2, n, m), np.float32)
    dot_floats(x, w_t, plain)
    row_products(x, w_t, found)
    assert found.tobytes() == plain.tobytes()


@pytest.mark.parametrize("m", [32, 64, 33])
def test_that_patches_have_the_bits_of_the_plain_product(m):
    rng = np.random.default_rng(m)
    maps = rng.standard_normal((3, 30)).astype(np.float32)
    w_t = rng.standard_normal((9, m)).astype(np.float32)
    origins, places = np.arange(0, 20, 4), np.array([0, 1, 2, 3, 4, 5, 6, 8, 9])
    plain, found = np.empty((2, 3 * len(origins), m), np.float32)
    dot_patches(maps, origins, places, w_t, plain)
    patch_products(maps, origins, places, w_t, found)
    assert found.tobytes() == plain.tobytes()


@pytest.mark.parametrize(("m", "k"), [(16, 9), (48, 3), (33, 9), (16, 8)])
def test_that_gradients_of_patches_have_the_bits_of_the_plain_sums(m, k):
    rng = np.random.default_rng(m)
    maps = rng.standard_normal((4, 30)).astype(np.float32)
    origins, places = np.arange(0, 20, 4), np.array([0, 1, 2, 3, 4, 5, 6, 8, 9])[:k]
    grad = rng.standard_normal((4 * len(origins), m)).astype(np.float32)
    plain, found = np.full((2, k, m), np.nan, np.float32)
    conv.patch_gradients(maps, origins, places, grad, np.empty_like(plain), plain)
    patch_gradients(maps, origins, places, grad, found)
    assert found.tobytes() == plain.tobytes()
    patches = maps[:, origins[:, None] + places].reshape(-1, k)
    assert np.allclose(plain, patches.T @ grad, atol=1e-4)
