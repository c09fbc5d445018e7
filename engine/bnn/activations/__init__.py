"""Quantizers of activations, one idea a file: the files of this room are looked through, none is entered."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from .quantizer import ACTIVATION_QUANTIZERS as ACTIVATION_QUANTIZERS
from .quantizer import ActivationQuantizer as ActivationQuantizer

# The order in which a form lists them; what is not named here comes after, by its name.
_FIRST = ("standard", "binary", "fixed", "learned")

for _name in (*_FIRST, *(module.name for module in iter_modules([str(Path(__file__).parent)]))):
    import_module(f".{_name}", __package__)
