"""Damaged MPS files: one line that says what is wrong, or a program; never anything else, and never slow."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from solverkit.errors import InvalidProblem
from solverkit.formats.mps.problem import load_mps
from tests.figures.inclusion.unseen_mps import FIXED, FREE, OtherReader, compare, files, read

FREE_TEXT = FREE.decode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a test puts its file."""
    return tmp_path / "model.mps"


def test_damaged_files_are_refused_with_one_line_or_read(path: Path) -> None:
    refused = 0
    for content in files(400, seed=5):
        path.write_bytes(content)
        program, message = read(path)
        if program is None:
            assert message.isprintable(), message
            assert message.startswith("model.mps"), message
            refused += 1
        else:
            assert np.isfinite(program.c).all()
            assert np.all(program.lower <= program.upper)
            assert np.all(program.row_lower <= program.row_upper)
    assert refused > 200


def test_a_small_file_takes_little_memory(path: Path) -> None:
    tracemalloc.start()
    try:
        for content in (FREE, FIXED, FREE[:100], FREE.replace(b"r1 4", b"r1 1e400")):
            path.write_bytes(content)
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()


def test_whole_files_are_what_highs_reads(path: Path) -> None:
    pytest.importorskip("highspy")
    other = OtherReader()
    try:
        for content in (FIXED, FREE):
            path.write_bytes(content)
            assert compare(load_mps(path).structure, other.read(path)) == "same"
    finally:
        other.close()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (" UP BND x 4\n", " UP BND x 4\n UP BND x 3\n", "a second upper bound of column 'x'"),
        (" UP BND x 4\n", " UP BND x 4\n FX BND x 3\n", "a second upper bound of column 'x'"),
        (" LO BND y -1\n UP BND y 1\n", " LO BND y 3\n UP BND y 1\n", "column 'y' has lower side 3 and upper side 1"),
        (" LO BND y -1\n", " LO BND y inf\n", "column 'y' has lower side inf"),
        (" RHS r3 7 cost 2\n", " RHS r3 1e30 cost 2\n", "row 'r3' has lower side 1e+30"),
        (" RNG r1 2.5", " RNG r1 2.5\x1b[2J", "control characters"),
        (" y cost 2", " y cost\x1c2", "control characters"),
        (" y cost 2", " y cost\u00a02", "4 fields are here"),
    ],
)
def test_what_readers_differ_in_is_refused(path: Path, old: str, new: str, said: str) -> None:
    assert old in FREE_TEXT
    path.write_text(FREE_TEXT.replace(old, new))
    with pytest.raises(InvalidProblem) as caught:
        load_mps(path)
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


def test_names_may_hold_what_is_blank_elsewhere(path: Path) -> None:
    path.write_bytes(FREE.replace(b" x", " voil\u00e0".encode()).replace(b" y", " \u00e0la".encode()))
    assert load_mps(path).structure.columns[0].encode("latin-1").decode() == "voil\u00e0"


def test_a_file_without_rows_is_refused(path: Path) -> None:
    path.write_text("NAME a\nROWS\n N cost\nCOLUMNS\n x cost 1\nBOUNDS\n UP BND x 4\nENDATA\n")
    with pytest.raises(InvalidProblem, match="no row but objectives"):
        load_mps(path)


def test_a_wrong_name_among_many_is_told_without_a_search(path: Path) -> None:
    count = 30_000
    columns = "".join(f" x{k} r 1\n" for k in range(count))
    path.write_text(f"NAME a\nROWS\n N cost\n E r\nCOLUMNS\n{columns}BOUNDS\n UP BND y{count} 4\nENDATA\n")
    with pytest.raises(InvalidProblem, match=f"no column 'y{count}'$"):
        load_mps(path)
