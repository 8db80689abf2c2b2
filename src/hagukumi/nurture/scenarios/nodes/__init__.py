"""The kinds of nodes, a module each; whatever lies here is part of the language, so a new kind is a new file."""

import importlib
import pkgutil

from .base import NODES, Node, Passed, Passers

__all__ = ["NODES", "Node", "Passed", "Passers"]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
