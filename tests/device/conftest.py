"""The device of these tests: `cuda`, be it a GPU or what stands in for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        yield "cuda"
        return
    from tests.device.stand_in import StandIn

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with StandIn():
        yield "cuda"
