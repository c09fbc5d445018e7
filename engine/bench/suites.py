"""Every suite there is: the files of this room are looked through, so a new one is entered nowhere."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from .pairs import LONG
from .pairs import SUITES as SUITES

for _module in iter_modules([str(Path(__file__).parent)]):
    if _module.name != Path(__file__).stem:
        import_module(f".{_module.name}", __package__)

QUICK = [option.key for option in SUITES.all() if option.group != LONG]
