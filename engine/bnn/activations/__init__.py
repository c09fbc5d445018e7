"""Quantizers of activations, one idea a file: the files of this room are looked through, none is entered."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from .quantizer import ACTIVATION_QUANTIZERS as ACTIVATION_QUANTIZERS
from .quantizer import ActivationQuantizer as ActivationQuantizer

for _module in iter_modules([str(Path(__file__).parent)]):
    import_module(f".{_module.name}", __package__)
