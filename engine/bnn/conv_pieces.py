"""A batch of maps taken piece by piece, in chunks that threads may take at once.

How a batch is cut does not depend on how many threads there are, so that sums over chunks are the same for
any number of them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..kernels.threads import share
from ..ports import words_for
from .conv_patches import Patches

CHUNKS = 4  # of a batch, at the most


class Buffers:
    """Where one piece of a batch is worked on; every thread has its own.

    Attributes:
        rows: float32 (rows of a piece, inputs), patches as numbers.
        grad_rows: float32, of the shape of `rows`, their gradients.
        scaled: float32 (rows, outputs of a group), gradients times scales.
        bits: uint64 (rows, words), packed patches.
        turned: uint64 (inputs, words of rows), packed patches by input.
        part: float32 (outputs of a group, inputs), what a piece adds to the gradient.
        maps: float32 (records of a piece, elements), the gradient of padded maps.
    """

    def __init__(self, patches: Patches, outputs: int) -> None:
        each = outputs // patches.groups
        self.rows, self.bits = patches.empty_rows(), patches.empty_bits()
        self.grad_rows = np.empty_like(self.rows)
        self.scaled = np.empty((len(self.rows), each), np.float32)
        self.turned = np.empty((patches.inputs, words_for(len(self.rows))), np.uint64)
        self.part = np.empty((each, patches.inputs), np.float32)
        self.maps = np.empty((patches.piece, patches.window.elements), np.float32)


class Pieces:
    """Cuts batches of maps into chunks of pieces, and holds the buffers they are worked on in.

    Attributes:
        patches: what they are cut into further.
    """

    def __init__(self, patches: Patches, outputs: int) -> None:
        self.patches, self._outputs = patches, outputs
        self._idle: list[Buffers] = []

    def count(self, records: int) -> int:
        """Return the number of chunks."""
        return min(CHUNKS, len(list(self.patches.pieces(records))))

    def each(self, records: int, work: Callable[[int, slice, Buffers], object]) -> None:
        """Call `work(chunk, piece, buffers)` for every piece; chunks are shared between threads.

        Args:
            records: of the batch.
            work: does one piece; what it adds up, it adds up by chunk.
        """
        pieces = list(self.patches.pieces(records))
        chunks = self.count(records)

        def run(begin: int, end: int) -> None:
            try:
                buffers = self._idle.pop()
            except IndexError:
                buffers = Buffers(self.patches, self._outputs)
            for chunk in range(begin, end):
                for piece in pieces[chunk * len(pieces) // chunks : (chunk + 1) * len(pieces) // chunks]:
                    work(chunk, piece, buffers)
            self._idle.append(buffers)

        share(run, chunks, least=1)
