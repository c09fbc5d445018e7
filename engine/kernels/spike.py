"""Spiking loops: reproducible chance, encoders, event-driven products, and neurons through time and back.

Spikes are uint8 rows of 0 and 1, (records, steps, neurons) or the same with records and steps as one. A
product with spikes adds the weight rows of the active inputs in rising order, so its float32 sums are the
same in every batch and on every machine; with whole-number levels below 2^24 they are exact.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel, popcount

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]
U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]

_BLOCK = 128  # records whose gradients stay in the cache together


@kernel
def unit_hash(key: np.uint64, step: int, element: int) -> np.float32:
    """Return a number in [0, 1), a multiple of 2^-24, that depends on nothing but the three arguments.

    The finaliser of splitmix64 over key + golden gamma x counter, the counter holding step and element.
    """
    counter = (np.uint64(step) << np.uint64(32)) + np.uint64(element) + np.uint64(1)
    z = key + np.uint64(0x9E3779B97F4A7C15) * counter
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.float32(z >> np.uint64(40)) * np.float32(2.0**-24)


@kernel
def hash_table(key: np.uint64, out: F32) -> None:
    """Write unit_hash(key, t, c) into `out`, float32 (steps, n)."""
    for t in range(out.shape[0]):
        for c in range(out.shape[1]):
            out[t, c] = unit_hash(key, t, c)


@kernel
def spikes_below(x: F32, table: F32, out: U8) -> None:
    """Write table[t, c] < x[r, c] into `out`, uint8 (n, steps, k); x is (n, k), table (steps, k)."""
    for r in range(out.shape[0]):
        for t in range(out.shape[1]):
            for c in range(out.shape[2]):
                out[r, t, c] = table[t, c] < x[r, c]


@kernel
def draw_spikes(x: F32, key: np.uint64, out: U8) -> None:
    """Write spikes drawn with probability x[r, c] at every step into `out`, uint8 (n, steps, k)."""
    n, steps, k = out.shape
    for r in range(n):
        for t in range(steps):
            for c in range(k):
                out[r, t, c] = x[r, c] > 0 and unit_hash(key, t, r * k + c) < x[r, c]


@kernel
def first_spikes(x: F32, edges: F32, out: U8) -> None:
    """Write one spike for each element into `out`, uint8 (n, steps, k): at the first step j, x >= edges[j].

    An element below every edge never spikes. `edges`, float32 (steps,), falls.
    """
    n, steps, k = out.shape
    for r in range(n):
        for c in range(k):
            early = False
            for t in range(steps):
                now = x[r, c] >= edges[t]
                out[r, t, c] = now and not early
                early = now


@kernel
def _active(row: U8, found: I32) -> np.int64:
    """Write the places of the ones of `row`, uint8 (k,), into `found`, int32 (k + 1,); return how many."""
    count = np.int64(0)
    for c in range(row.size):
        found[count] = c
        count += np.int64(row[c])
    return count


@kernel
def add_rows(spikes: U8, w_t: F32, scale: F32, shift: F32, out: F32) -> None:
    """Write scale x (spikes @ w_t) + shift into `out`, float32 (n, m), by adding the rows that are active.

    Args:
        spikes: uint8 (n, k).
        w_t: float32 (k, m).
        scale: float32 (m,).
        shift: float32 (m,).
        out: row c of w_t is added after row c - 1, four to a pass over `out`.
    """
    n, k = spikes.shape
    m = w_t.shape[1]
    active = np.empty(k + 1, np.int32)
    for r in range(n):
        count = _active(spikes[r], active)
        for j in range(m):
            out[r, j] = np.float32(0.0)
        whole = count & ~3
        for i in range(0, whole, 4):
            a, b, c, d = active[i], active[i + 1], active[i + 2], active[i + 3]
            for j in range(m):
                out[r, j] = (((out[r, j] + w_t[a, j]) + w_t[b, j]) + w_t[c, j]) + w_t[d, j]
        for i in range(whole, count):
            a = active[i]
            for j in range(m):
                out[r, j] += w_t[a, j]
        for j in range(m):
            out[r, j] = out[r, j] * scale[j] + shift[j]


@kernel
def pack_spikes(spikes: U8, out: U64) -> None:
    """Write `spikes`, uint8 (n, k), as packed bits into `out`, uint64 (n, ceil(k / 64)), as in bits.py."""
    k = spikes.shape[1]
    for r in range(spikes.shape[0]):
        for w in range(out.shape[1]):
            word = np.uint64(0)
            at = 64 * w
            for j in range(min(64, k - at)):
                word |= np.uint64(spikes[r, at + j]) << np.uint64(j)
            out[r, w] = word


@kernel
def dot_spikes(spikes: U64, signs: U64, scale: F32, shift: F32, out: F32) -> None:
    """Write scale x (spikes @ weights) + shift into `out`, float32 (n, m), for weights of -1 and +1.

    AND and popcount: 2 popcount(spikes and signs) - popcount(spikes), an exact whole number.

    Args:
        spikes: uint64 (n, words), packed.
        signs: uint64 (m, words), packed, 1 for +1.
        scale: float32 (m,).
        shift: float32 (m,).
        out: four columns go at a time, so that a word of spikes is loaded once for four products.
    """
    n, words = spikes.shape
    m = signs.shape[0]
    for r in range(n):
        active = np.int64(0)
        for w in range(words):
            active += popcount(spikes[r, w])
        whole = m & ~3
        for c in range(0, whole, 4):
            d0 = np.int64(0)
            d1 = np.int64(0)
            d2 = np.int64(0)
            d3 = np.int64(0)
            for w in range(words):
                word = spikes[r, w]
                d0 += popcount(word & signs[c, w])
                d1 += popcount(word & signs[c + 1, w])
                d2 += popcount(word & signs[c + 2, w])
                d3 += popcount(word & signs[c + 3, w])
            out[r, c] = np.float32(2 * d0 - active)
            out[r, c + 1] = np.float32(2 * d1 - active)
            out[r, c + 2] = np.float32(2 * d2 - active)
            out[r, c + 3] = np.float32(2 * d3 - active)
        for c in range(whole, m):
            d0 = np.int64(0)
            for w in range(words):
                d0 += popcount(spikes[r, w] & signs[c, w])
            out[r, c] = np.float32(2 * d0 - active)
        for j in range(m):
            out[r, j] = out[r, j] * scale[j] + shift[j]


@kernel
def add_to_rows(spikes: U8, grad: F32, out: F32) -> None:
    """Write spikes.T @ grad into `out`, float32 (k, m), by adding to the rows that are active.

    Records go in blocks; of each block every row of `out` is visited once, with all its active records.

    Args:
        spikes: uint8 (n, k).
        grad: float32 (n, m).
        out: overwritten.
    """
    n, k = spikes.shape
    m = grad.shape[1]
    out[:] = np.float32(0.0)
    active = np.empty((k, _BLOCK), np.int32)
    counts = np.empty(k, np.int64)
    found = np.empty(k + 1, np.int32)
    for at in range(0, n, _BLOCK):
        counts[:] = 0
        for r in range(at, min(n, at + _BLOCK)):
            for i in range(_active(spikes[r], found)):
                c = found[i]
                active[c, counts[c]] = r
                counts[c] += 1
        for c in range(k):
            whole = counts[c] & ~3
            for i in range(0, whole, 4):
                p, q, s, t = active[c, i], active[c, i + 1], active[c, i + 2], active[c, i + 3]
                for j in range(m):
                    out[c, j] += (grad[p, j] + grad[q, j]) + (grad[s, j] + grad[t, j])
            for i in range(whole, counts[c]):
                p = active[c, i]
                for j in range(m):
                    out[c, j] += grad[p, j]


@kernel
def integrate(potential: F32, beta: np.float32, threshold: np.float32, to_zero: bool, spikes: U8) -> None:
    """Run leaky integrate-and-fire neurons through time from rest.

    U[t] = beta U[t-1] + I[t] - threshold S[t-1], or beta U[t-1] (1 - S[t-1]) + I[t] where `to_zero`;
    S[t] = U[t] >= threshold.

    Args:
        potential: float32 (n, steps, m), the currents I; replaced by U.
        beta: share of the potential that is left after a step.
        threshold: potential at which a neuron fires.
        to_zero: whether firing empties the neuron instead of taking the threshold away.
        spikes: uint8 (n, steps, m), S.
    """
    n, steps, m = potential.shape
    taken = np.float32(0.0) if to_zero else threshold
    for r in range(n):
        for j in range(m):
            spikes[r, 0, j] = potential[r, 0, j] >= threshold
        for t in range(1, steps):
            for j in range(m):
                fired = np.float32(spikes[r, t - 1, j])
                kept = beta * (np.float32(1.0) - fired) if to_zero else beta
                u = kept * potential[r, t - 1, j] + potential[r, t, j]
                u = u - taken * fired
                potential[r, t, j] = u
                spikes[r, t, j] = u >= threshold


@kernel
def integrate_backward(spikes: U8, slope: F32, beta: np.float32, to_zero: bool, grad: F32) -> None:
    """Replace `grad`, dL/dS, by dL/dI for neurons that `integrate` ran (back-propagation through time).

    dL/dU[t] = dL/dS[t] slope[t] + beta dL/dU[t+1], the last term left out where the neuron was emptied; the
    reset itself is taken as a constant.

    Args:
        spikes: uint8 (n, steps, m), S.
        slope: float32 (n, steps, m), the surrogate derivative dS/dU.
        beta: as in `integrate`.
        to_zero: as in `integrate`.
        grad: float32 (n, steps, m).
    """
    n, steps, m = grad.shape
    for r in range(n):
        for j in range(m):
            grad[r, steps - 1, j] *= slope[r, steps - 1, j]
        for i in range(1, steps):
            t = steps - 1 - i
            for j in range(m):
                kept = beta * (np.float32(1.0) - np.float32(spikes[r, t, j])) if to_zero else beta
                grad[r, t, j] = grad[r, t, j] * slope[r, t, j] + kept * grad[r, t + 1, j]
