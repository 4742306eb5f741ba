"""A third party's plugin, installed as pip would: a folder on the path with an entry point."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

METADATA = "Metadata-Version: 2.1\nName: conformance-toy\nVersion: 1.0\nRequires-Dist: solverkit>=0,<99\n"
ENTRY = "[solverkit]\nconformance-toy = conformance_toy\n"

sys.path.insert(0, str(Path(__file__).parent / "plugin"))


@pytest.fixture(scope="module", autouse=True)
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The toy plugin, for this process and for those that the kit starts."""
    from solverkit.registry import registry

    site = tmp_path_factory.mktemp("site")
    info = site / "conformance_toy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(METADATA, encoding="utf-8")
    (info / "entry_points.txt").write_text(ENTRY, encoding="utf-8")
    sys.path.insert(0, str(site))
    registry.only(None)
    yield
    sys.path.remove(str(site))
    registry.only(None)
