"""Numba's `njit`, for installations where nothing can be cached, too.

Numba refuses `cache=True` where neither the folder of the source nor the user's own cache folder can be written, as in
a container with a read-only root and no home. There a kernel is compiled anew in each process; `solverkit doctor`
says so. A shared temporary folder is no place for a cache: what lies in it would be executed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def njit(function: Callable[..., Any] | None = None, /, *, cache: bool = False, **options: Any) -> Any:
    """`numba.njit`; without a cache where numba finds no folder for it."""

    def compiled(body: Callable[..., Any]) -> Any:
        try:
            return numba.njit(cache=cache, **options)(body)
        except RuntimeError:
            if not cache or cacheable(body):
                raise
            return numba.njit(**options)(body)

    return compiled if function is None else compiled(function)


def cacheable(body: Callable[..., Any]) -> bool:
    """Whether numba finds a folder in which what it compiles of `body` can be kept."""
    from numba.core.caching import CompileResultCacheImpl

    try:
        CompileResultCacheImpl(body)
    except RuntimeError:
        return False
    return True
