"""Networks of the literature as whole projects, one a file; projects/zoo holds what these functions give.

`python -m app.zoo` writes the files anew; a test keeps files and functions alike.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from .net import ZOO as ZOO

for _module in iter_modules([str(Path(__file__).parent)]):
    import_module(f".{_module.name}", __package__)
