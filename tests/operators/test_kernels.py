"""Compiled kernels in installations that cannot keep what is compiled."""

from __future__ import annotations

import numba
import pytest

from solverkit import kernels


def half(x):
    return 0.5 * x


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """No folder is writable for numba: its own setting names a file."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    for locator in numba.core.caching.CompileResultCacheImpl._locator_classes:
        monkeypatch.setattr(locator, "from_function", classmethod(lambda *_: None))


def test_a_kernel_that_cannot_be_cached_compiles(nowhere):
    assert not kernels.cacheable(half)
    with pytest.raises(RuntimeError, match="cannot cache"):
        numba.njit(cache=True)(half)
    assert kernels.njit(cache=True)(half)(3.0) == 1.5


def test_a_kernel_is_cached_where_it_can_be():
    assert kernels.cacheable(half)
    compiled = kernels.njit(half, cache=True)
    assert compiled(3.0) == 1.5
    assert compiled.stats.cache_path


def test_other_errors_of_numba_are_shown(monkeypatch):
    def fails(**_):
        raise RuntimeError("something else")

    monkeypatch.setattr(numba, "njit", fails)
    with pytest.raises(RuntimeError, match="something else"):
        kernels.njit(cache=True)(half)
