"""A 1-bit convolution of packed maps in training: its products, and both ways back across records."""

from __future__ import annotations

import numpy as np

from ..hardware import sign_weights
from ..kernels.floats import scale_sums
from ..kernels.signed_maps import filter_sums, map_sums, turn_maps
from ..kernels.threads import share
from ..kernels.vectors import COMPILED
from ..ports import F32, U64, words_for
from .conv_patches import Patches

_MANY = 48  # records from which on words across them are full enough
_BYTES = 1 << 19  # of packed patches at a time
_LEAST = 8  # records that are worth a thread


class PackedMaps:
    """The packed maps of a batch, with their padding, and what filters make of them.

    The caller corrects for padding that counts 0, which packed maps cannot say.
    """

    def __init__(self, patches: Patches, outputs: int, batch: int) -> None:
        window = patches.window
        self._patches, self._each = patches, outputs // patches.groups
        starts = np.stack([window.starts(g, patches.groups) for g in range(patches.groups)])
        self._runs = window.origins, starts, window.run(patches.groups)
        self._padded = np.empty((batch, words_for(window.elements)), np.uint64)
        self._zero = np.zeros(outputs, np.float32)
        self._piece = max(1, _BYTES // (8 * window.places * words_for(patches.inputs)))
        self._idle: list[U64] = []  # buffers of packed patches; every thread takes one
        self._records = 0

    def products(self, seen: U64, signs: U64, scale: F32, out: F32, missing: F32 | None = None) -> None:
        """Write the products of the patches of packed maps and packed filters into `out`.

        Args:
            seen: uint64 (n, words); they are held, padded, for the ways back.
            signs: uint64 (outputs, words).
            scale: float32 (outputs,), what one sign of an output counts.
            out: float32 (n * places, outputs), C-contiguous.
            missing: float32 (places, outputs), whole numbers that are added before they are scaled.
        """
        patches, places, each = self._patches, self._patches.window.places, self._each
        self._records = len(seen)
        weights = [sign_weights(signs[i : i + each], patches.inputs) for i in range(0, len(signs), each)]
        for part in weights:
            part.lay(self._piece * places)
        added = None if missing is None else missing.astype(np.int32)

        def run(begin: int, end: int) -> None:
            bits = self._buffer()
            for at in range(begin, end, self._piece):
                piece = slice(at, min(end, at + self._piece))
                maps = self._padded[piece] = patches.padded(seen[piece], packed=True)
                target = out[piece.start * places : piece.stop * places]
                whole = target.view(np.int32)
                for group, part in enumerate(weights):
                    rows = patches.rows(maps, group, bits)
                    part.dot(rows, whole[:, group * each : (group + 1) * each], len(bits))
                if added is not None:
                    by_place = whole.reshape(-1, *added.shape)
                    by_place += added
                scale_sums(target, scale, self._zero)
            self._idle.append(bits)

        share(run, len(seen), least=_LEAST)

    def serves(self, records: int) -> bool:
        """Return whether the ways back across so many records pay."""
        return COMPILED and records >= _MANY

    def filter_gradient(self, grad: F32, out: F32) -> None:
        """Write the gradient of the filters into `out`, float32 (outputs, inputs).

        Args:
            grad: dL/d(products), float32 (n * places, outputs), for the maps of the last `products`.
            out: written.
        """
        window, n = self._patches.window, self._records
        bits = np.empty((-(-n // 64), window.elements), np.uint64)

        def turn(begin: int, end: int) -> None:
            turn_maps(self._padded[64 * begin : min(n, 64 * end)], window.elements, bits[begin:end])

        share(turn, len(bits), least=1)
        filter_sums(self._by_record(grad), bits, self._runs, out)

    def map_gradient(self, grad: F32, signs: U64, scale: F32, out: F32) -> None:
        """Write the gradient of the maps into `out`, float32 (n, elements).

        Args:
            grad: dL/d(products), float32 (n * places, outputs).
            signs: packed filters, uint64 (outputs, words).
            scale: float32 (outputs,).
            out: written.
        """
        window, groups, inputs = self._patches.window, self._patches.groups, self._patches.inputs
        turned = np.empty((groups, words_for(self._each), inputs), np.uint64)
        for group in range(groups):
            turn_maps(signs[group * self._each : (group + 1) * self._each], inputs, turned[group])
        map_sums(self._by_record(grad), scale, turned, self._runs, window.elements, window.rows, out)

    def _buffer(self) -> U64:
        """Return room for the packed patches of a piece that no other thread works in."""
        try:
            return self._idle.pop()
        except IndexError:
            rows = self._piece * self._patches.window.places
            return np.empty((rows, words_for(self._patches.inputs)), np.uint64)

    def _by_record(self, grad: F32) -> F32:
        return grad.reshape(-1, self._patches.window.places, grad.shape[1])
