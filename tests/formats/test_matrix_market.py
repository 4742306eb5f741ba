"""The reader of MatrixMarket files, against SciPy's where that one can be trusted."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.io
import scipy.sparse as sparse

from solverkit.formats import matrix_market
from solverkit.formats.files import Refused
from solverkit.formats.matrix_market import read_mtx

HEAD = "%%MatrixMarket matrix coordinate real general\n"
ARRAY = "%%MatrixMarket matrix array real general\n"


def read(text: str, whole: bool = False):
    return read_mtx(text.encode(), whole)


def refused(text: str) -> tuple[int, int, str]:
    with pytest.raises(Refused) as caught:
        read(text)
    return caught.value.line, caught.value.column, caught.value.message


@pytest.mark.parametrize("symmetry", ["general", "symmetric", "skew-symmetric"])
@pytest.mark.parametrize("layout", ["coordinate", "array"])
@pytest.mark.parametrize("field", ["real", "integer", "pattern"])
def test_agrees_with_scipy(tmp_path, symmetry, layout, field):
    if field == "pattern" and (layout == "array" or symmetry == "skew-symmetric"):
        pytest.skip("there is no such file")
    value = np.random.default_rng(0).integers(-3, 4, (6, 6)).astype(float)
    value = {"general": value, "symmetric": value + value.T, "skew-symmetric": value - value.T}[symmetry]
    value = (
        np.abs(np.sign(value))
        if field == "pattern"
        else value + (0.5 * (value != 0) * (symmetry != "skew-symmetric") if field == "real" else 0)
    )
    matrix = sparse.coo_array(value) if layout == "coordinate" else value
    path = tmp_path / "A.mtx"
    scipy.io.mmwrite(path, matrix, field=field, symmetry=symmetry, comment="made by a test")
    found = read_mtx(path.read_bytes(), False)
    assert sparse.issparse(found) == (layout == "coordinate")
    np.testing.assert_array_equal(found.toarray() if sparse.issparse(found) else found, value)


def test_forms():
    assert read(HEAD + "% c\n\n 2 3 2\n1 1 1.5\r\n2 3 -2e1\n").toarray().tolist() == [[1.5, 0, 0], [0, 0, -20]]
    assert read(ARRAY + "2 2\n1\n2\n3\n4\n").tolist() == [[1, 3], [2, 4]]
    assert read(ARRAY + "2 1\n1\n2\n").tolist() == [1, 2]
    assert read(HEAD + "2 2 0\n").nnz == 0
    assert read(HEAD.replace("%%MatrixMarket matrix", "%%matrixmarket MATRIX") + "1 1 1\n1 1 5\n").toarray() == [[5]]
    assert read(HEAD + "1 1 1\n1 1 5", whole=True).toarray() == [[5]]


def test_as_many_numbers_as_an_array_may_have(monkeypatch):
    monkeypatch.setattr(matrix_market, "MAX_DENSE", 4)
    assert read(ARRAY + "2 2\n1\n2\n3\n4\n").shape == (2, 2)
    assert refused(ARRAY + "5 1\n1\n2\n3\n4\n5\n") == (2, 1, "5 x 1 numbers; an array has at most 4")
    assert read(HEAD + "2 2 4\n1 1 1\n1 2 1\n2 1 1\n2 2 1\n").nnz == 4
    assert refused(HEAD + "3 2 5\n")[2] == "the size 5; from 1 to 4"
    monkeypatch.setattr(matrix_market, "MAX_LENGTH", 3)
    assert read(HEAD + "3 3 0\n").shape == (3, 3)
    assert refused(HEAD + "3 4 0\n") == (2, 3, "the size 4; from 1 to 3")


def test_words_that_are_refused_are_shown_in_part():
    long = "9" * 40
    assert refused(HEAD + f"1 1 1\n1 1 {long}x\n")[2] == f"'{long[:30]}' is not a number"
    assert refused(HEAD + f"1 1 {long}\n")[2] == f"'{long[:30]}' is not a size"
    assert refused(HEAD + f"1 1 {'0' * 15}1\n")[2] == "'0000000000000001' is not a size"
    assert read(HEAD + f"1 1 {'0' * 14}1\n1 1 3\n").toarray() == [[3]]


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        # SciPy's reader crashes on the first three, and reads the next two as 1
        (HEAD + "1 1 1\n1 1 1e", 3, 7, "the last line does not end"),
        (HEAD + "1 1 1\n1 1 3e-", 3, 8, "the last line does not end"),
        (ARRAY + "1 1\n1e", 3, 3, "the last line does not end"),
        (HEAD + "1 1 1\n1 1 1e\n", 3, 5, "'1e' is not a number"),
        (HEAD + "1 1 1\n1 1 1e+\n", 3, 5, "'1e+' is not a number"),
        (ARRAY + "1 1\n1e-\n", 3, 1, "'1e-' is not a number"),
        (HEAD + "1 1 1\n1 1 +\n", 3, 5, "'+' is not a number"),
        (HEAD + "1 1 1\n1 1 1.5d0\n", 3, 5, "'1.5d0' is not a number"),
        (HEAD + "2 2 1\n1 1 nan\n", 3, 5, "nan is not a finite number"),
        (HEAD + "2 2 1\n1 1 -inf\n", 3, 5, "-inf is not a finite number"),
        (HEAD + "2 2 1\n1 1 1e999\n", 3, 5, "1e999 is too large for float64"),
        (HEAD + "2 2 2\n1 1 1\n1 1 2\n", 4, 1, "the entry (1, 1) is there already, in line 3"),
        (HEAD + "2 2 1\n0 1 1\n", 3, 1, "the row 0; from 1 to 2"),
        (HEAD + "2 2 1\n1 -1 1\n", 3, 3, "the column -1; from 1 to 2"),
        (HEAD + "2 2 1\n1 3 1\n", 3, 3, "the column 3; from 1 to 2"),
        (HEAD + "2 2 1\n1.5 1 1\n", 3, 1, "the row 1.5; from 1 to 2"),
        (HEAD + "2 2 2\n1 1 1\n", 4, 1, "1 entries where 2 are promised: the file may be cut"),
        (HEAD + "2 2 1\n1 1 1\n2 2 2\n", 4, 1, "more entries than the 1 that are promised"),
        (HEAD + "2 2 1\n1 1\n", 3, 4, "2 fields where 3 are needed"),
        (HEAD + "2 2 1\n1 1 1 1\n", 3, 7, "4 fields where 3 are needed"),
        (HEAD + "1000000000000 1000000000000 1\n1 1 1\n", 2, 1, "the size 1000000000000; from 1 to 10000000"),
        (HEAD + "2 2 100000000000\n1 1 1\n", 2, 5, "the size 100000000000; from 1 to 100000000"),
        (HEAD + "0 2 1\n", 2, 1, "the size 0; from 1 to 10000000"),
        (HEAD + "2 x 1\n", 2, 3, "'x' is not a size"),
        (HEAD + "2 2\n", 2, 1, "needs 3 sizes, not 2"),
        (HEAD, 2, 1, "the line with the sizes is missing"),
        (ARRAY + "9999999 9999999\n1\n", 2, 1, "9999999 x 9999999 numbers; an array has at most 100000000"),
        (ARRAY + "2 2\n1\n2\n3\n", 6, 1, "3 entries where 4 are promised: the file may be cut"),
        (HEAD.replace("general", "symmetric") + "2 3 1\n1 1 1\n", 2, 1, "a symmetric matrix is square, not 2 x 3"),
        (
            HEAD.replace("general", "symmetric") + "2 2 1\n1 2 1\n",
            3,
            1,
            "a symmetric file lists the lower triangle only",
        ),
        (HEAD.replace("general", "skew-symmetric") + "2 2 1\n1 1 1\n", 3, 1, "a skew-symmetric file lists the lower"),
        (HEAD.replace("real", "integer") + "2 2 1\n1 1 1.5\n", 3, 5, "not a whole number, in a file of integers"),
        (HEAD.replace("real", "complex") + "1 1 1\n1 1 1 1\n", 1, 34, "'complex' is not read (choices: real, double, "),
        (HEAD.replace("general", "hermitian") + "1 1 1\n1 1 1\n", 1, 39, "'hermitian' is not read"),
        (ARRAY.replace("real", "pattern") + "1 1\n", 1, 1, "a pattern has no array form"),
        ("%%MatrixMarket matrix coordinate\n", 1, 1, "the first line has five words"),
        ("1 1 1\n", 1, 1, "a MatrixMarket file begins with %%MatrixMarket"),
        ("\n" + HEAD, 2, 1, "a MatrixMarket file begins with %%MatrixMarket"),
        (HEAD + "1 1 1\n1 1 \x001\n", 3, 5, "the control character U+0000"),
    ],
)
def test_refused_with_place(text, line, column, message):
    found = refused(text)
    assert found[:2] == (line, column)
    assert found[2].startswith(message)
