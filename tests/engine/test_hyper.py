"""The hypervector kernels against naive NumPy twins."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.hdc.codes import level_codes, random_codes, signs_of
from engine.kernels.hyper import encode_records, level_of, project
from engine.ports import words_for

SEEDS = st.integers(0, 2**32 - 1)


def bits(packed, dimension):
    return np.unpackbits(packed.view(np.uint8), axis=-1, bitorder="little")[..., :dimension].astype(int)


def naive_levels(x, span, levels):
    width = span[1] - span[0]
    share = np.divide(x - span[0], width, out=np.zeros_like(x), where=width > 0)
    return np.rint(np.clip(share, 0, 1) * np.float32(levels - 1)).astype(int)


def naive_records(x, span, items, levels, tie, first):
    at = naive_levels(x, span, len(levels))
    out = np.empty((len(x), len(tie)), int)
    for r in range(len(x)):
        kept = np.flatnonzero(at[r] >= first)
        votes = 2 * (items[kept] ^ levels[at[r, kept]]).sum(0) - len(kept)
        out[r] = np.where(votes == 0, tie, votes > 0)
    return out


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.integers(1, 70), st.integers(64, 9000), st.integers(2, 9), st.integers(0, 1))
def test_records_are_the_majority_of_bound_codes(seed, features, dimension, levels, first):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(3, features)).astype(np.float32)
    span = np.sort(rng.normal(size=(2, features)), axis=0).astype(np.float32)
    span[:, 0] = 0.5  # a feature that never changed
    items, tie = random_codes(rng, features, dimension), random_codes(rng, 1, dimension)[0]
    codes = level_codes(rng, levels, dimension)
    out = np.empty((3, words_for(dimension)), np.uint64)
    encode_records(x, span, items, codes, tie, first, out)
    expected = naive_records(
        x, span, bits(items, dimension), bits(codes, dimension), bits(tie, dimension), first
    )
    np.testing.assert_array_equal(bits(out, dimension), expected)
    assert not np.any(bits(out, 64 * out.shape[1])[:, dimension:])


def test_a_record_of_nothing_gives_the_tie_vector():
    rng = np.random.default_rng(1)
    items, tie, codes = random_codes(rng, 5, 100), random_codes(rng, 1, 100)[0], level_codes(rng, 4, 100)
    span = np.array([[0.0] * 5, [1.0] * 5], np.float32)
    out = np.empty((1, 2), np.uint64)
    encode_records(np.zeros((1, 5), np.float32), span, items, codes, tie, 1, out)
    np.testing.assert_array_equal(out[0], tie)


def test_levels_clip_and_take_nan_for_nothing():
    low, high = np.float32(-1), np.float32(1)
    given = [np.float32(v) for v in (-9, -1, 0, 1, 9, np.nan)]
    assert [level_of(v, low, high, 5) for v in given] == [0, 0, 2, 4, 4, 0]
    assert level_of(np.float32(3), high, high, 5) == 0


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.integers(1, 40), st.integers(1, 600), st.integers(1, 9))
def test_projection_adds_each_record_in_order_whatever_stands_beside_it(seed, k, d, n):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, k)).astype(np.float32) * (rng.random((n, k)) < 0.6)
    signs = (2 * rng.integers(0, 2, (k, d)) - 1).astype(np.int8)
    out = np.empty((n, d), np.float32)
    project(x, signs, out)
    expected = np.zeros((n, d), np.float32)
    for c in range(k):
        expected += x[:, c : c + 1] * signs[c].astype(np.float32)
    assert out.tobytes() == expected.tobytes()


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.integers(2, 20))
def test_level_codes_grow_apart_from_one_end_to_the_other(seed, levels):
    codes = signs_of(level_codes(np.random.default_rng(seed), levels, 8192), 8192)
    similarity = codes @ codes[0] / 8192
    assert np.all(np.diff(similarity) <= 0)
    assert abs(similarity[-1]) < 0.08
    np.testing.assert_allclose(similarity, np.linspace(1, 0, levels), atol=0.08)


def test_random_codes_are_balanced_and_leave_the_tail_empty():
    codes = random_codes(np.random.default_rng(0), 50, 1000)
    ones = bits(codes, 1024)
    assert not ones[:, 1000:].any()
    assert 0.45 < ones[:, :1000].mean() < 0.55
