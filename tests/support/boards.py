"""Small files of digits and puzzles: each digit is a stripe of its own, with noise."""

import struct

import numpy as np

from engine.logic.sudoku import drawn


def write_idx(path, array):
    head = b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(head + array.astype(np.uint8).tobytes())


def write_boards(folder, *, digits=600, boards=3, seed=0, ink=200, noise=40):
    """Write puzzles.sdm, images-idx3-ubyte and labels-idx1-ubyte; return the puzzles and their solutions."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(digits) % 10)
    images = rng.integers(0, noise, (digits, 10, 4))
    images[np.arange(digits), labels] += ink
    write_idx(folder / "images-idx3-ubyte", images)
    write_idx(folder / "labels-idx1-ubyte", labels)
    puzzles, solutions = drawn(boards, 34, seed)
    lines = ["# some puzzles", "", *("".join(map(str, row)).replace("0", ".") for row in puzzles.tolist())]
    (folder / "puzzles.sdm").write_text("\n".join(lines))
    return puzzles, solutions
