"""kernels/conv.py: bits read, written and gathered, against arrays of single bits."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bnn.conv_patches import Patches
from engine.bnn.conv_window import window_of
from engine.kernels.conv import copy_bits
from engine.kernels.floats import dot_floats
from engine.ports import words_for

sides = st.integers(1, 6)


def words_of(bits):
    padded = np.zeros((len(bits), words_for(bits.shape[1]) * 64), np.uint8)
    padded[:, : bits.shape[1]] = bits
    return np.packbits(padded, axis=1, bitorder="little").view(np.uint64)


def bits_of(words, count):
    return np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")[:, :count]


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 200), st.integers(0, 130), st.integers(0, 130), st.integers(0, 2**32 - 1))
def test_copied_bits_land_where_they_should_and_touch_no_other(count, begin, at, seed):
    rng = np.random.default_rng(seed)
    source, target = rng.integers(0, 2, (2, 1, 400), np.uint8)
    words = words_of(target)
    copy_bits(words_of(source)[0], begin, words[0], at, count)
    target[0, at : at + count] = source[0, begin : begin + count]
    assert (bits_of(words, 400) == target).all()


@settings(deadline=None, max_examples=60)
@given(
    st.tuples(st.integers(1, 6), st.integers(1, 6), st.sampled_from([1, 2, 3, 32, 33, 64, 128])),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 2),
    st.sampled_from([-1, 1]),
    st.integers(0, 2**32 - 1),
)
def test_packed_patches_are_the_float_patches(shape, kernel, stride, dilation, pad, seed):
    window = window_of(shape, 2, kernel=kernel, stride=stride, dilation=dilation)
    x = np.random.default_rng(seed).choice([-1.0, 1.0], (2, *shape)).astype(np.float32)
    for groups in {1, shape[2]} if shape[2] < 4 else {1}:
        patches = Patches(window, groups, pad)
        floats = patches.put(x, patches.floats(2), packed=False)
        packed = patches.padded(words_of(x.reshape(2, -1) > 0), packed=True)
        for group in range(groups):
            expected = patches.rows(floats, group)
            rows = patches.rows(packed, group)
            assert (bits_of(rows, patches.inputs) == (expected > 0)).all()
            assert not bits_of(rows, 64 * rows.shape[1])[:, patches.inputs :].any()


@settings(deadline=None, max_examples=30)
@given(
    st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 4)),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 2),
)
def test_folding_is_the_transpose_of_cutting(shape, kernel, stride, dilation):
    window = window_of(shape, 2, kernel=kernel, stride=stride, dilation=dilation)
    patches, rng = Patches(window), np.random.default_rng(0)
    maps = rng.integers(-9, 9, (2, window.elements)).astype(np.float32)
    rows = rng.integers(-9, 9, (2 * window.places, patches.inputs)).astype(np.float32)
    folded = np.zeros_like(maps)
    patches.fold(rows, 0, folded)
    assert (patches.rows(maps, 0) * rows).sum() == (maps * folded).sum()


@settings(deadline=None, max_examples=20)
@given(
    st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 3)), st.integers(1, 3), st.integers(1, 5)
)
def test_products_straight_from_the_map_are_those_of_rows_to_the_bit(shape, kernel, outputs):
    rng = np.random.default_rng(0)
    patches = Patches(window_of(shape, 2, kernel=kernel, stride=1))
    maps = rng.standard_normal((2, patches.window.elements)).astype(np.float32)
    values_t = rng.standard_normal((patches.inputs, outputs)).astype(np.float32)
    straight, rows = np.empty((2, 2 * patches.window.places, outputs), np.float32)
    patches.dot(maps, values_t, straight)
    dot_floats(patches.rows(maps, 0), values_t, rows)
    assert straight.tobytes() == rows.tobytes()
    grad = rng.standard_normal(rows.shape).astype(np.float32)
    assert np.allclose(patches.dot_gradient(maps, grad), grad.T @ patches.rows(maps, 0), atol=1e-3)
