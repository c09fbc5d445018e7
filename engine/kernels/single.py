"""One packed row at a time by byte shuffles (AVX2): 4 inputs of 32 outputs an instruction, counted in bytes.

As shuffle.py, with nothing in the high half of a byte, so that 60 look-ups add up before a byte is full. The
weights are the nibbles of byte_shuffle.py.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .byte_shuffle import CHUNK
from .jit import kernel
from .lanes import U8, add8, add16, and8, below, load, load_twice, low_bytes, right_8, shuffle, zeros

U64 = npt.NDArray[np.uint64]

_FILL = 60  # look-ups of at most 4 that a byte holds the sum of


def tables() -> U8:
    """Return the 16 tables, flat: entry v of table a says in how many of four places v and a differ."""
    four = np.arange(16, dtype=np.uint8)
    counts: U8 = np.bitwise_count(four[:, None] ^ four).reshape(-1).astype(np.uint8)
    return counts


@kernel
def signs_single(lookups: U8, a: U64, inputs: int, nibbles: U8, limits: U8, out: U64) -> None:
    """Write whether packed rows differ from each output in fewer places than its limit, as packed signs.

    Args:
        lookups: as `tables` gives.
        a: uint64 (n, words).
        inputs: columns of a row.
        nibbles: as byte_shuffle.py lays them out, flat.
        limits: as `lookup.signs_lookup` takes them.
        out: uint64 (n, words).
    """
    groups, blocks = (inputs + 3) // 4, out.shape[1]
    for r in range(a.shape[0]):
        for block in range(0, blocks, 2):
            at = CHUNK * groups * (block // 2)
            e0, e1, e2, e3 = zeros(), zeros(), zeros(), zeros()
            o0, o1, o2, o3 = zeros(), zeros(), zeros(), zeros()
            done = 0
            while done < groups:
                until = min(groups, done + _FILL)
                x0, x1, x2, x3 = zeros(), zeros(), zeros(), zeros()
                for g in range(done, until):
                    four = (a[r, g >> 4] >> np.uint64(4 * (g & 15))) & np.uint64(15)
                    table = load_twice(lookups, 16 * np.int64(four))
                    x0 = add8(x0, shuffle(table, load(nibbles, at)))
                    x1 = add8(x1, shuffle(table, load(nibbles, at + 32)))
                    x2 = add8(x2, shuffle(table, load(nibbles, at + 64)))
                    x3 = add8(x3, shuffle(table, load(nibbles, at + 96)))
                    at += CHUNK
                e0, o0 = add16(e0, and8(x0, low_bytes())), add16(o0, right_8(x0))
                e1, o1 = add16(e1, and8(x1, low_bytes())), add16(o1, right_8(x1))
                e2, o2 = add16(e2, and8(x2, low_bytes())), add16(o2, right_8(x2))
                e3, o3 = add16(e3, and8(x3, low_bytes())), add16(o3, right_8(x3))
                done = until
            i = 128 * block
            low = below(e0, o0, load(limits, i), load(limits, i + 32))
            high = below(e1, o1, load(limits, i + 64), load(limits, i + 96))
            out[r, block] = low | (high << np.uint64(32))
            if block + 1 < blocks:
                low = below(e2, o2, load(limits, i + 128), load(limits, i + 160))
                high = below(e3, o3, load(limits, i + 192), load(limits, i + 224))
                out[r, block + 1] = low | (high << np.uint64(32))
