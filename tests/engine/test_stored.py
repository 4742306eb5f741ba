"""What a former version wrote on disk stays readable, and verifiable: formats are a promise."""

from __future__ import annotations

from pathlib import Path

import pytest

import solverkit as sk

STORED = Path(__file__).parent / "stored"
FOLDERS = sorted(path.parent for path in STORED.glob("*/*/problem.yaml"))
KINDS = {"bilevel", "composite", "dag", "inclusion", "linear-sequence", "nonlinear"}


def test_there_is_a_result_of_each_kind():
    assert {folder.name for folder in FOLDERS if folder.parent.name == "0.1.0"} == KINDS


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_a_stored_result_is_verified(folder):
    stored = sk.Result.load(folder / "result")
    assert stored.point_status is sk.PointStatus.CERTIFIED
    assert stored.notes == [note for note in stored.notes if "damaged" not in note and "trace.jsonl" not in note]
    assert stored.trace
    assert stored.versions["solverkit"] == folder.parent.name
    certificate = sk.verify(folder / "result", folder / "problem.yaml")
    assert certificate.status is sk.PointStatus.CERTIFIED
    for term in stored.certificate.terms:
        again = certificate[term.name]
        assert again.tolerance == term.tolerance
        assert again.value / again.scaling == pytest.approx(
            term.value / term.scaling, rel=1e-2, abs=term.tolerance / 10
        )
