"""The declared conversions of ports.CONVERSIONS on arrays: what a wire does when its ends differ in type."""

from __future__ import annotations

import numpy as np

from .kernels.bits import unpack_signs
from .ports import Array, Port, Spec


def convert(array: Array, spec: Spec, port: Port) -> Array:
    """Return `array`, which carries `spec`, as what `port` takes. Equal types pass through untouched."""
    to = port.conversion(spec.type)
    if to is None or spec.type in ("real", "scores"):
        return array
    if spec.type == "hypervector":
        return array
    return bits_as_real(array, spec)


def bits_as_real(array: Array, spec: Spec) -> Array:
    """Return a bits array as float32 (n, *shape): signs as -1 and +1, levels times their step."""
    if spec.packed:
        out = np.empty((len(array), spec.elements), np.float32)
        unpack_signs(array, out)
        return out.reshape(len(array), *spec.shape)
    return np.asarray(array * np.float32(spec.step), np.float32)
