"""Files that are cut at every byte, or damaged at random: an error, never half a problem and never a traceback."""

from __future__ import annotations

import io
import random
import time

import numpy as np
import pytest
import scipy.sparse as sparse

from solverkit.errors import Defect, InvalidProblem
from solverkit.formats import load
from solverkit.formats.csv import read_csv
from solverkit.formats.files import Refused
from solverkit.formats.libsvm import read_libsvm
from solverkit.formats.matrix_market import read_mtx
from solverkit.formats.numpy_files import read_npy, read_npz

ROWS = 6


def saved(save) -> bytes:
    stream = io.BytesIO()
    save(stream)
    return stream.getvalue()


MATRIX = np.random.default_rng(0).standard_normal((ROWS, 3)).round(3)
SPARSE = sparse.csr_array(np.where(MATRIX > 0, MATRIX, 0))
HEAD = b"%%MatrixMarket matrix coordinate real general\n"

FILES = {
    "npy": (saved(lambda f: np.save(f, MATRIX)), read_npy),
    "npz": (saved(lambda f: np.savez(f, A=MATRIX)), lambda content: read_npz(content, None)),
    "npz compressed": (saved(lambda f: np.savez_compressed(f, A=MATRIX)), lambda content: read_npz(content, None)),
    "npz sparse": (saved(lambda f: sparse.save_npz(f, SPARSE)), lambda content: read_npz(content, None)),
    "csv": (
        saved(lambda f: np.savetxt(f, MATRIX, delimiter=",")),
        lambda content: read_csv(content, None, None, False),
    ),
    "libsvm": (b"1 1:0.25 3:12\n-1 2:1.5 # c\n1 1:100\n", lambda content: read_libsvm(content, None, 3, False)),
    "mtx": (HEAD + b"% c\n3 3 3\n1 1 1.25\n2 1 -3e1\n3 3 100\n", lambda content: read_mtx(content, False)),
    "mtx array": (
        HEAD.replace(b"coordinate", b"array") + b"2 2\n1.25\n2\n3\n40\n",
        lambda content: read_mtx(content, False),
    ),
}
WITHOUT_END = {"csv", "libsvm"}
"""Formats where a whole line that is missing cannot be noticed but by a sha256."""


def same(found, expected) -> bool:
    found, expected = (value.toarray() if sparse.issparse(value) else value for value in (found, expected))
    return found.shape == expected.shape and bool(np.array_equal(found, expected))


@pytest.mark.parametrize("name", FILES)
def test_cut_at_every_byte(name):
    content, read = FILES[name]
    expected = read(content)
    for length in range(len(content)):
        try:
            found = read(content[:length])
        except Refused:
            continue
        if name in WITHOUT_END:
            assert content[:length].endswith(b"\n") or content[:length].rstrip(b"\r").endswith(b"\n")
        else:
            assert same(found, expected), length


@pytest.mark.parametrize("name", FILES)
def test_damaged_at_random(name):
    content, read = FILES[name]
    rng = random.Random(name)
    pieces = [b"\0", b"\xff", b"nan", b"1e", b"-", b"9" * 20, b"\n", b" ", b":", b",", b"inf", b"%", b"\x80\x04"]
    for _ in range(1500):
        damaged = bytearray(content)
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(damaged))
            match rng.randrange(4):
                case 0:
                    damaged[at] = rng.randrange(256)
                case 1:
                    damaged[at:at] = rng.choice(pieces)
                case 2:
                    del damaged[at : at + rng.randint(1, 8)]
                case _:
                    other = rng.randrange(len(damaged))
                    damaged[at : at + 8] = damaged[other : other + 8]
        try:
            found = read(bytes(damaged))
        except Refused:
            continue
        assert len(found.shape) <= 3


WHOLE = """\
solverkit: 1
kind: bilevel
name: whole
parameters: {n: 20}
upper:
  variables: {x: {shape: n, start: 10}}
  minimize: 0.5*sum((x - y)**2) + 10
lower:
  variables:
    y:
      shape: n
      lower: 0
      upper: 125
  minimize: 0.5*sum(y**2) - dot(x, y)
  subject_to:
    balance: sum(x) + sum(y) <= 100
  convex: true
expect:
  objective: 15
"""


def test_problem_cut_at_every_byte(folder):
    """YAML has no end mark, so a cut between two lines can leave a whole file; one within a line must not."""
    (folder / "problem.yaml").write_text(WHOLE)
    load("problem.yaml")
    accepted = []
    for length in range(len(WHOLE)):
        (folder / "problem.yaml").write_text(WHOLE[:length])
        try:
            load("problem.yaml")
        except InvalidProblem:
            continue
        accepted.append(WHOLE[:length])
    assert accepted
    assert all(text.endswith("\n") for text in accepted)


def test_problem_in_braces_cut_at_every_byte(folder):
    """In flow style the last brace is an end mark: every cut is an error, or the same problem."""
    text = (
        "{solverkit: 1, kind: bilevel, name: a, upper: {variables: {x: {}}, minimize: x + y}, "
        "lower: {variables: {y: {}}, minimize: (y - x)**2}}\n"
    )
    (folder / "problem.yaml").write_text(text)
    expected = load("problem.yaml").fingerprint()
    for length in range(len(text)):
        (folder / "problem.yaml").write_text(text[:length])
        try:
            assert load("problem.yaml").fingerprint() == expected
        except InvalidProblem:
            continue


def test_problem_damaged_at_random(folder):
    rng = random.Random(0)
    words = ["{", "}", "[", "]", "&a", "*a", "!!x", "<<", "'", '"', "\t", "\n", "9**9**9", "x.y", "0x1", ".inf", ".nan"]
    words += [
        "null",
        "-",
        ": ",
        "#",
        "sum",
        "lambda",
        "__import__",
        "\x00",
        "\u202e",
        "|",
        ">",
        "?",
        "%",
        "1e999",
        "[" * 99,
    ]
    slow = 0.0
    for _ in range(400):
        text = WHOLE
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(text))
            text = text[:at] + rng.choice(words) + text[at + rng.randint(0, 6) :]
        (folder / "problem.yaml").write_text(text, newline="")
        began = time.process_time()
        found: list[Defect] = []
        try:
            load("problem.yaml")
        except InvalidProblem as error:
            found = error.defects
        assert all(defect.line >= 1 and defect.column >= 1 for defect in found)
        assert all(character.isprintable() for defect in found for character in str(defect))
        slow = max(slow, time.process_time() - began)
    assert slow < 2
