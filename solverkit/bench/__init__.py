"""Suites of problems and methods: plans, runs, records, profiles and reports.

`solverkit.bench` is this package and the function `solverkit.api.bench` at once: Python binds a package's name to it as
soon as a module of it is imported, so the package can be called.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """`solverkit.api.bench`."""
        from solverkit.api import bench

        return bench(*arguments, **keywords)


sys.modules[__name__].__class__ = _Callable
