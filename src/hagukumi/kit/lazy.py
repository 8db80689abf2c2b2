"""Big modules that most processes never need, loaded when first asked for."""

import importlib
from typing import Any


class Module:
    """Stands for a module until something of it is used: `pl = Module("polars")`, 18 MB that a sender never touches.

    The types of such a module belong under TYPE_CHECKING.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)
