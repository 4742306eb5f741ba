"""Folders of matrices that a problem file names, and files that change or vanish while they are read."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import numpy as np
import pytest

from solverkit.errors import InvalidProblem
from solverkit.formats import files, load
from solverkit.formats.files import Refused, matrix_files, read, resolve

SEQUENCE = "solverkit: 1\nkind: linear-sequence\nname: small\nfolder: {path: steps}\n"
MATRIX = "%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 2\n2 2 4\n"
VECTOR = "%%MatrixMarket matrix array real general\n2 1\n1\n2\n"


@pytest.fixture
def steps(folder):
    """A folder of two systems, and the problem file beside it."""
    (folder / "problem.yaml").write_text(SEQUENCE)
    (folder / "steps").mkdir()
    for number in (1, 2):
        (folder / "steps" / f"A_{number}.mtx").write_text(MATRIX)
        (folder / "steps" / f"b_{number}.mtx").write_text(VECTOR)
    (folder / "steps" / "notes.txt").write_text("no matrix")
    return folder / "steps"


def refusal() -> str:
    with pytest.raises(InvalidProblem) as caught:
        load("problem.yaml")
    return str(caught.value)


def test_a_folder_of_systems(steps):
    problem = load("problem.yaml")
    assert problem.T == 2
    np.testing.assert_array_equal(problem.system(1).matrix.toarray(), np.diag([2.0, 4.0]))
    np.testing.assert_array_equal(problem.system(1).rhs, [1, 2])


def test_a_bad_file_of_a_folder_is_named_with_its_line(steps):
    (steps / "A_2.mtx").write_text(MATRIX.replace("2 2 4", "2 3 4"))
    place = os.path.join("steps", "A_2.mtx")
    assert refusal() == f"{place}:4:3: folder.path: the column 3; from 1 to 2"
    (steps / "A_2.mtx").write_text("")
    assert refusal() == "problem.yaml:4:16: folder.path: 'steps/A_2.mtx': the file is empty"


def test_a_file_that_is_no_folder(steps, folder):
    (folder / "problem.yaml").write_text(SEQUENCE.replace("steps", "steps/notes.txt"))
    assert refusal() == "problem.yaml:4:16: folder.path: 'steps/notes.txt' is not a folder"


def test_a_folder_that_cannot_be_listed(steps, monkeypatch):
    def refused(path):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "scandir", refused)
    assert refusal() == "problem.yaml:4:16: folder.path: 'steps' cannot be opened: Permission denied"


def test_a_folder_with_more_files_than_a_problem_may_have(steps, monkeypatch):
    monkeypatch.setattr(files, "MAX_FILES", 4)
    assert matrix_files(steps.parent, "steps") == ["A_1.mtx", "A_2.mtx", "b_1.mtx", "b_2.mtx"]
    monkeypatch.setattr(files, "MAX_FILES", 3)
    assert refusal() == "problem.yaml:4:16: folder.path: 'steps' holds more than 3 matrices"


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_a_name_that_is_none(folder, name):
    with pytest.raises(Refused, match="a file name is needed"):
        resolve(folder, name)


def test_a_drive_letter_is_an_absolute_path_and_a_letter_is_not(folder):
    (folder / "C").touch()
    assert resolve(folder, "C").name == "C"
    with pytest.raises(Refused, match="'C:' is an absolute path"):
        resolve(folder, "C:")


def test_a_socket_is_refused_without_waiting(folder):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("problem.yaml")
        assert refusal() == "problem.yaml: cannot be opened: No such device or address"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc")
def test_a_file_that_says_it_is_smaller_than_it_is():
    """As those of /proc do, and those that grow while they are read."""
    path = Path("/proc/self/status")
    assert path.stat().st_size == 0
    assert read(path, 100_000).startswith(b"Name:")
    with pytest.raises(Refused, match="more than 100 bytes, the most that a data file may have"):
        read(path, 100, "a data file")


def test_a_file_of_the_largest_size_is_read(folder):
    (folder / "a").write_bytes(b"12345")
    assert read(folder / "a", 5) == b"12345"
    with pytest.raises(Refused, match="5 bytes; the file may have at most 4"):
        read(folder / "a", 4)
