"""What a turned sign does to the chances of the logistic units that read it.

A unit is +1 with the chance F(a) = 1 / (1 + exp(-a)). Where a sign x that it reads with the weight w turns,
a moves by -2 w x, and exp(-a) is multiplied by exp(2 w x): exponentials are taken of units and weights apart,
once each, and what is left for every pair is a division.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]


@kernel
def flip_rows(seen: F32, odds: F64, rises: F64, falls: F64, grad: F32, sums: F64, out: F32) -> None:
    """Write, for every sign, sum over units of grad (F(a where it is +1) - F(a where it is -1)) into `out`.

    Args:
        seen: float32 (n, k), signs as they are.
        odds: float64 (n, m), exp(-a) of the units as they are.
        rises: float64 (m, k), exp(2 w).
        falls: float64 (m, k), exp(-2 w).
        grad: float32 (n, m).
        sums: float64 (k,), scratch.
        out: float32 (n, k), written.
    """
    n, k = seen.shape
    for r in range(n):
        x, y = seen[r], out[r]
        for i in range(k):
            sums[i] = 0.0
        for j in range(odds.shape[1]):
            odd, g = odds[r, j], np.float64(grad[r, j])
            now, rise, fall = 1.0 / (1.0 + odd), rises[j], falls[j]
            for i in range(k):
                turned = odd * (rise[i] if x[i] > np.float32(0.0) else fall[i])
                sums[i] += g * (now - 1.0 / (1.0 + turned))
        for i in range(k):
            y[i] = x[i] * np.float32(sums[i])


@kernel
def flip_secants(odds: F64, rises: F64, grad: F32, odd_part: F32, even_part: F32) -> None:
    """Write the two parts of `flip_rows` where all weights of a unit are of one size c, w = c or -c.

    There it is the sum over units of `odd_part` times the sign of w, and x times the sum of `even_part`.

    Args:
        odds: float64 (n, m), exp(-a); row r is of place r modulo the number of places.
        rises: float64 (places, m), exp(2 c).
        grad: float32 (n, m).
        odd_part: float32 (n, m), written: grad (F(a + 2 c) - F(a - 2 c)) / 2.
        even_part: float32 (n,), written: sums of grad (F(a) - (F(a + 2 c) + F(a - 2 c)) / 2).
    """
    places = len(rises)
    for r in range(len(odds)):
        row, rise, g, out = odds[r], rises[r % places], grad[r], odd_part[r]
        total = 0.0
        for j in range(len(row)):
            now = 1.0 / (1.0 + row[j])
            above, below = rise[j] / (rise[j] + row[j]), 1.0 / (1.0 + row[j] * rise[j])
            out[j] = np.float32(np.float64(g[j]) * 0.5 * (above - below))
            total += np.float64(g[j]) * (now - 0.5 * (above + below))
        even_part[r] = np.float32(total)
