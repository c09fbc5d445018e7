"""The spiking kernels against naive NumPy twins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels.bits import pack_signs
from engine.kernels.spike import (
    add_rows,
    add_to_rows,
    dot_spikes,
    draw_spikes,
    first_spikes,
    hash_table,
    integrate,
    integrate_backward,
    pack_spikes,
    spikes_below,
    unit_hash,
)
from engine.ports import words_for

SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.integers(1, 150)
ONE = np.float32(1)


def naive_hash(key, step, element):
    z = (key + 0x9E3779B97F4A7C15 * ((step << 32) + element + 1)) % 2**64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return ((z ^ (z >> 31)) >> 40) / 2**24


def naive_neurons(current, beta, threshold, to_zero):
    """Return potentials and spikes of currents (n, steps, m), step by step."""
    potential, spikes = np.empty_like(current), np.empty(current.shape, np.uint8)
    u, s = np.zeros_like(current[:, 0]), np.zeros_like(current[:, 0])
    for t in range(current.shape[1]):
        u = beta * u * (1 - s) + current[:, t] if to_zero else beta * u + current[:, t] - threshold * s
        s = (u >= threshold).astype(current.dtype)
        potential[:, t], spikes[:, t] = u, s
    return potential, spikes


@pytest.fixture(autouse=True)
def wrapping():
    """Let the twins of unsigned kernels wrap when the compiler is off."""
    with np.errstate(over="ignore"):
        yield


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**64 - 1), st.integers(0, 2**20), st.integers(0, 2**30))
def test_the_hash_is_splitmix64(key, step, element):
    assert unit_hash(np.uint64(key), step, element) == naive_hash(key, step, element)


def test_hashes_are_even_and_neighbours_unrelated():
    table = np.empty((200, 500), np.float32)
    hash_table(np.uint64(3), table)
    counts = np.histogram(table, 20, (0, 1))[0] / table.size
    np.testing.assert_allclose(counts, 0.05, atol=0.004)
    for other in (table[1:], table[:, 1:]):
        here = table[: other.shape[0], : other.shape[1]]
        assert abs(np.corrcoef(here.ravel(), other.ravel())[0, 1]) < 0.01


@settings(deadline=None, max_examples=30)
@given(SEEDS, st.integers(1, 5), st.integers(1, 9), SIZES)
def test_thresholds_and_draws_spike_with_their_hashes(seed, n, steps, k):
    x = np.random.default_rng(seed).random((n, k)).astype(np.float32)
    table, out = np.empty((steps, k), np.float32), np.empty((n, steps, k), np.uint8)
    hash_table(np.uint64(seed), table)
    spikes_below(x, table, out)
    np.testing.assert_array_equal(out, table[None] < x[:, None])
    draw_spikes(x, np.uint64(seed), out)
    drawn = [[[naive_hash(seed, t, r * k + c) for c in range(k)] for t in range(steps)] for r in range(n)]
    np.testing.assert_array_equal(out, np.array(drawn) < x[:, None])


def test_nothing_never_spikes_and_all_always_spikes():
    x = np.repeat(np.float32([[0, 1]]), 50, axis=1)
    table, out = np.empty((40, 100), np.float32), np.empty((1, 40, 100), np.uint8)
    hash_table(np.uint64(0), table)
    for write in (lambda: spikes_below(x, table, out), lambda: draw_spikes(x, np.uint64(9), out)):
        write()
        assert not out[..., :50].any()
        assert out[..., 50:].all()


@settings(deadline=None, max_examples=30)
@given(SEEDS, st.integers(1, 12), SIZES)
def test_first_spikes_come_once_at_the_first_edge_that_is_reached(seed, steps, k):
    rng = np.random.default_rng(seed)
    edges = np.sort(rng.random(steps))[::-1].astype(np.float32)
    x, out = rng.random((3, k)).astype(np.float32), np.empty((3, steps, k), np.uint8)
    first_spikes(x, edges, out)
    for r, c in np.ndindex(3, k):
        reached = np.flatnonzero(x[r, c] >= edges)
        assert list(np.flatnonzero(out[r, :, c])) == list(reached[:1])


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.integers(1, 7), SIZES, st.integers(1, 70), st.floats(0, 1))
def test_event_driven_sums_add_active_rows_in_order(seed, n, k, m, density):
    rng = np.random.default_rng(seed)
    spikes = (rng.random((n, k)) < density).astype(np.uint8)
    w_t = rng.normal(size=(k, m)).astype(np.float32)
    scale, shift = rng.normal(size=(2, m)).astype(np.float32)
    out = np.empty((n, m), np.float32)
    add_rows(spikes, w_t, scale, shift, out)
    expected = np.zeros((n, m), np.float32)
    for r in range(n):
        for c in np.flatnonzero(spikes[r]):
            expected[r] += w_t[c]
    expected = expected * scale + shift
    assert out.tobytes() == expected.tobytes()


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.integers(1, 300), SIZES, st.integers(1, 20), st.floats(0, 1))
def test_weight_gradients_are_the_transposed_product(seed, n, k, m, density):
    rng = np.random.default_rng(seed)
    spikes = (rng.random((n, k)) < density).astype(np.uint8)
    grad = rng.normal(size=(n, m)).astype(np.float32)
    out = np.full((k, m), 7, np.float32)
    add_to_rows(spikes, grad, out)
    np.testing.assert_allclose(out, spikes.T.astype(np.float64) @ grad, atol=1e-4)


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.integers(1, 6), st.integers(1, 300), st.integers(1, 70))
def test_packed_sums_equal_event_driven_sums_to_the_bit(seed, n, k, m):
    rng = np.random.default_rng(seed)
    spikes = rng.integers(0, 2, (n, k)).astype(np.uint8)
    w = np.where(rng.random((m, k)) < 0.5, ONE, -ONE)
    scale, shift = rng.normal(size=(2, m)).astype(np.float32)
    words, signs = np.empty((n, words_for(k)), np.uint64), np.empty((m, words_for(k)), np.uint64)
    pack_spikes(spikes, words)
    pack_signs(w, signs)
    unpacked = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")
    np.testing.assert_array_equal(unpacked[:, :k], spikes)
    assert not unpacked[:, k:].any()
    packed, rows = np.empty((2, n, m), np.float32)
    dot_spikes(words, signs, scale, shift, packed)
    add_rows(spikes, np.ascontiguousarray(w.T), scale, shift, rows)
    assert packed.tobytes() == rows.tobytes()


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.integers(1, 4), st.integers(1, 12), st.integers(1, 40), st.booleans())
def test_neurons_leak_fire_and_reset_a_step_later(seed, n, steps, m, to_zero):
    rng = np.random.default_rng(seed)
    current = rng.normal(0.3, 1, (n, steps, m)).astype(np.float32)
    beta, threshold = np.float32(rng.random()), np.float32(0.2 + rng.random())
    expected, fired = naive_neurons(current, beta, threshold, to_zero)
    spikes = np.empty(current.shape, np.uint8)
    integrate(current, beta, threshold, to_zero, spikes)
    assert current.tobytes() == expected.tobytes()
    np.testing.assert_array_equal(spikes, fired)


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.integers(1, 4), st.integers(1, 12), st.integers(1, 20), st.booleans())
def test_gradients_run_back_through_the_steps(seed, n, steps, m, to_zero):
    rng = np.random.default_rng(seed)
    spikes = rng.integers(0, 2, (n, steps, m)).astype(np.uint8)
    slope, grad = rng.normal(size=(2, n, steps, m)).astype(np.float32)
    expected, later = np.empty((n, steps, m)), np.zeros((n, m))
    for t in reversed(range(steps)):
        kept = 0.8 * (1 - spikes[:, t] if to_zero else np.ones((n, m)))
        later = grad[:, t].astype(float) * slope[:, t] + kept * later
        expected[:, t] = later
    integrate_backward(spikes, slope, np.float32(0.8), to_zero, grad)
    np.testing.assert_allclose(grad, expected, atol=1e-4)
