"""Instructions of alone.py for maps and for the float layer at their end, and the call that runs both kinds.

What these work with is more than an instruction has room for: `more` is the place of a sheet in `store`,
int64 (arrays, 3), that says of each array where it begins and how many rows and columns it has.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .alone import DONE, FLOAT_MAPS, MAPS, REST, SAMPLES, SURE_LABEL, WIDTH, run_rows
from .jit import kernel
from .lanes import U8
from .map_signs import map_signs
from .pooled_signs import pooled_signs
from .sign_labels import SIDE, sure_label
from .sign_sums import LANES, sums_of_one
from .views import (
    byte_row,
    byte_rows,
    bytes_of,
    double_rows,
    float_row,
    float_rows,
    half_row,
    long_row,
    long_rows,
    unit_row,
    unit_rows,
    word_row,
    word_rows,
)

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]


@kernel
def _float_maps(line: I64, given: U8, store: U8, work: U8) -> bool:
    """Write packed maps after a float convolution; the sheet has what `pooled_signs` takes, in its order."""
    s = long_rows(store, line[5], 13, 3)
    return pooled_signs(
        float_rows(given, 0, 1, line[3]),
        long_row(store, s[0, 0], s[0, 1]),
        line[6],
        float_row(work, s[1, 0], s[1, 1]),
        half_row(work, s[2, 0], s[2, 1]),
        word_rows(store, s[3, 0], s[3, 1], s[3, 2]),
        long_rows(store, s[4, 0], s[4, 1], s[4, 2]),
        word_rows(store, s[5, 0], s[5, 1], s[5, 2]),
        long_row(work, s[6, 0], s[6, 1]),
        unit_row(store, s[7, 0], s[7, 1]),
        word_row(store, s[8, 0], s[8, 1]),
        float_row(store, s[9, 0], s[9, 1]),
        float_row(store, s[10, 0], s[10, 1]),
        float_row(store, s[11, 0], 1)[0],
        unit_row(store, s[12, 0], s[12, 1]),
        unit_rows(work, line[2], 1, line[4]),
    )


@kernel
def _maps(line: I64, given: U8, store: U8, work: U8) -> None:
    """Write packed maps after packed maps; the sheet has what `map_signs` takes, in its order."""
    s = long_rows(store, line[5], 11, 3)
    map_signs(
        byte_rows(given, 0, 1, line[3]),
        long_row(store, s[0, 0], s[0, 1]),
        line[6],
        byte_row(work, s[1, 0], s[1, 1]),
        long_row(store, s[2, 0], s[2, 1]),
        long_row(store, s[3, 0], s[3, 1]),
        long_rows(store, s[4, 0], s[4, 1], s[4, 2]),
        byte_row(store, s[5, 0], s[5, 1]),
        byte_row(store, s[6, 0], s[6, 1]),
        line[7],
        word_row(store, s[7, 0], s[7, 1]),
        byte_row(store, s[8, 0], s[8, 1]),
        word_row(work, s[9, 0], s[9, 1]),
        byte_row(work, s[10, 0], s[10, 1]),
        word_rows(work, line[2], 1, line[4]),
    )


@kernel
def _sign_floats(line: I64, given: U8, store: U8, work: U8) -> None:
    """Write floats: more is inputs, weights, signs, affine, how often, and scratch."""
    n, m, inputs, lanes = line[3], line[4], line[5], (line[4] + LANES - 1) // LANES * LANES
    sums_of_one(
        word_rows(given, 0, 1, n),
        inputs,
        float_row(store, line[6], inputs * lanes),
        float_row(store, line[7], 2),
        float_rows(store, line[8], 2 * line[9], m).reshape((line[9], 2, m)),
        float_row(work, line[10], lanes),
        float_rows(work, line[2], 1, m),
    )


@kernel
def _sure_label(line: I64, given: U8, store: U8, work: U8, out: I64) -> bool:
    """Write the class if it is beyond doubt: more is inputs, ints, bytes, scale, affine, times, scratch."""
    m, lanes = line[4], (line[4] + SIDE - 1) // SIDE * SIDE
    return sure_label(
        word_row(given, 0, line[3]),
        line[5],
        byte_row(store, line[6], line[7]),
        double_rows(store, line[8], 2, m),
        float_rows(store, line[9], 2 * line[10], m).reshape((line[10], 2, m)),
        double_rows(work, line[11], 3, lanes),
        out,
    )


@kernel
def map_step(line: I64, x: U8, store: U8, work: U8) -> bool:
    """Run one instruction for maps; return whether it speaks for the record."""
    code, given = line[0], x if line[1] == SAMPLES else byte_row(work, line[1], REST)
    if code == FLOAT_MAPS:
        return _float_maps(line, given, store, work)
    if code == MAPS:
        _maps(line, given, store, work)
    else:
        _sign_floats(line, given, store, work)
    return True


@kernel
def label_of_map(samples: U8 | F32, store: U8, work: U8, out: I64) -> bool:
    """Do what `label_of_row` does, with the instructions of this file too."""
    x, held, room = bytes_of(samples), bytes_of(store), bytes_of(work)
    at = run_rows(x, held, room, 0, out)
    while at >= 0:
        line = long_row(held, at, WIDTH)
        if line[0] == SURE_LABEL:
            if _sure_label(line, byte_row(room, line[1], REST), held, room, out):
                return True
        elif not map_step(line, x, held, room):
            return False
        at = run_rows(x, held, room, at + 8 * WIDTH, out)
    return at == DONE
