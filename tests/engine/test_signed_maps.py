"""kernels/signed_maps.py and bnn/conv_packed.py: ways back of 1-bit convolutions against plain patches."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bnn.conv import Conv1d, Conv2d, Conv3d
from engine.bnn.conv_packed import PackedMaps
from engine.bnn.conv_patches import Patches
from engine.bnn.conv_window import window_of
from engine.kernels.bits import pack_signs
from engine.kernels.signed_maps import filter_sums, map_sums, turn_maps
from engine.kernels.vectors import COMPILED
from engine.ports import Spec, words_for

compiled = pytest.mark.skipif(
    not COMPILED, reason="these kernels have a twin, signed.py, where nothing is compiled"
)


def packed(signs):
    words = np.zeros((len(signs), words_for(signs.shape[1])), np.uint64)
    pack_signs(np.ascontiguousarray(signs), words)
    return words


def signs(rng, *shape):
    return rng.choice([-1, 1], shape).astype(np.float32)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 150), st.integers(1, 200), st.integers(0, 2**32 - 1))
def test_maps_are_turned_and_records_that_are_not_there_are_0(n, elements, seed):
    maps = signs(np.random.default_rng(seed), n, elements)
    out = np.full((-(-n // 64), elements), 2**64 - 1, np.uint64)
    turn_maps(packed(maps), elements, out)
    bits = (out[:, :, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    by_record = bits.transpose(0, 2, 1).reshape(-1, elements)
    assert (by_record[:n] == (maps > 0)).all()
    assert not by_record[n:].any()


shapes = st.sampled_from([(6, 5, 32), (5, 4, 12), (9, 4), (3, 4, 3, 4)])


@compiled
@settings(deadline=None, max_examples=30)
@given(
    shapes,
    st.integers(1, 140),
    st.integers(1, 40),
    st.sampled_from([1, 2, 4]),
    st.integers(1, 2),
    st.sampled_from(["same", "valid"]),
    st.integers(0, 2**32 - 1),
)
def test_the_ways_back_are_those_of_patches(shape, n, each, groups, stride, padding, seed):
    rng, dims = np.random.default_rng(seed), max(1, len(shape) - 1)
    window = window_of(shape, dims, kernel=3, stride=stride, padding=padding)
    patches, m = Patches(window, groups, 1), each * groups
    maps, filters = signs(rng, n, window.length), signs(rng, m, patches.inputs)
    # Small whole numbers: every order of sums gives the same float.
    grad = rng.integers(-9, 9, (n, window.places, m)).astype(np.float32)
    scale = rng.integers(1, 4, m).astype(np.float32)
    of_filters, of_maps = np.zeros((m, patches.inputs)), np.zeros((n, window.elements), np.float32)
    floats = patches.put(maps, patches.floats(n), packed=False)
    for group in range(groups):
        at = slice(group * each, (group + 1) * each)
        here = grad[:, :, at].reshape(-1, each)
        of_filters[at] = here.T @ patches.rows(floats, group)
        patches.fold((here * scale[at]) @ filters[at], group, of_maps)

    bits = np.empty((-(-n // 64), window.elements), np.uint64)
    turn_maps(patches.padded(packed(maps), packed=True), window.elements, bits)
    turned = np.empty((groups, words_for(each), patches.inputs), np.uint64)
    for group in range(groups):
        turn_maps(packed(filters)[group * each : (group + 1) * each], patches.inputs, turned[group])
    runs = window.origins, np.stack([window.starts(g, groups) for g in range(groups)]), window.run(groups)
    found = np.full((m, patches.inputs), np.nan, np.float32)
    filter_sums(grad, bits, runs, found)
    assert (found == of_filters).all()
    back = np.full((n, window.length), np.nan, np.float32)
    map_sums(grad, scale, turned, runs, window.elements, window.rows, back)
    assert (back == window.cropped(of_maps)).all()


@compiled
@pytest.mark.parametrize("pad", ["-1", "0", "1"])
@pytest.mark.parametrize(("kind", "shape"), [(Conv1d, (20, 6)), (Conv2d, (7, 6, 5)), (Conv3d, (4, 3, 5, 2))])
def test_a_convolution_learns_the_same_by_both_ways(kind, shape, pad, monkeypatch):
    n, spec, rng = 70, Spec("bits", shape, "1", low=-1), np.random.default_rng(0)
    node = kind(filters=6, pad_value=pad)
    words = packed(signs(rng, n, spec.elements))
    found = []
    for serves in (True, False):
        monkeypatch.setattr(PackedMaps, "serves", lambda self, records, serves=serves: serves)
        operator = node.operator(node.start(np.random.default_rng(1), spec), n, spec)
        (out,) = operator.execute(words)
        (back,) = operator.gradient(np.random.default_rng(2).standard_normal(out.shape).astype(np.float32))
        found.append([back.copy(), *(p.grad.copy() for p in operator.parameters())])
    for across, along in zip(*found, strict=True):
        assert np.allclose(across, along, rtol=1e-3, atol=1e-4)
