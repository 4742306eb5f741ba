"""Arrays from everywhere: what is read, and the place of what is wrong."""

from __future__ import annotations

import hashlib
import io
import os
import sys
import zipfile

import numpy as np
import pytest
import scipy.sparse as sparse

from solverkit.errors import MissingPackage
from solverkit.formats import numpy_files, yaml
from solverkit.formats.data import read_data
from solverkit.formats.document import Data
from solverkit.formats.source import FileSource


@pytest.fixture
def read(folder):
    """The value of a `data:` entry."""
    from pydantic import TypeAdapter

    def read(entry, **parameters):
        document = yaml.parse(b"solverkit: 1\n", "problem.yaml")
        source = FileSource(document, folder)
        source.parameters.update(parameters)
        read_data({"A": TypeAdapter(Data).validate_python(entry)}, source)
        source.check()
        return source.data["A"]

    return read


def dense(value):
    return value.toarray() if sparse.issparse(value) else value


# -- npy and npz


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i8", "u1", "?", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy(folder, read, dtype, order):
    expected = np.array([[1, 0], [1, 1], [0, 1]], dtype=dtype, order=order)
    np.save(folder / "A.npy", expected)
    found = read({"file": "A.npy"})
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, expected)


def test_npz_with_several_arrays(folder, read, data_errors):
    np.savez_compressed(folder / "A.npz", A=np.eye(3), b=np.arange(3))
    np.testing.assert_array_equal(read({"file": "A.npz", "key": "b"}), [0, 1, 2])
    assert data_errors("{file: A.npz}") == [
        "problem.yaml:4:11: data.A: 'A.npz': holds 2 arrays; choose one with `key` (A, b)"
    ]
    assert data_errors("{file: A.npz, key: c}") == [
        "problem.yaml:4:11: data.A: 'A.npz': has no array 'c' (arrays here: A, b)"
    ]


@pytest.mark.parametrize("layout", ["csr", "csc", "coo"])
@pytest.mark.parametrize("compressed", [True, False])
def test_scipy_npz(folder, read, layout, compressed):
    expected = sparse.random_array((7, 5), density=0.3, rng=np.random.default_rng(0))
    sparse.save_npz(folder / "A.npz", expected.asformat(layout), compressed=compressed)
    found = read({"file": "A.npz"})
    assert found.format == "csr"
    np.testing.assert_array_equal(found.toarray(), expected.toarray())


def test_arrays_that_are_named_like_parts_of_a_sparse_matrix(folder, read):
    for name in ("shape", "format"):
        np.savez(folder / "A.npz", **{name: np.arange(3), "data": np.ones(2)})
        np.testing.assert_array_equal(read({"file": "A.npz", "key": name}), [0, 1, 2])


def test_scipy_npz_of_the_largest_shape(folder, read):
    sparse.save_npz(folder / "A.npz", sparse.coo_array(([3.0], ([0], [9_999_999])), shape=(1, 10_000_000)))
    assert read({"file": "A.npz"})[0, 9_999_999] == 3


def test_scipy_npz_in_other_layouts(folder, data_errors):
    sparse.save_npz(folder / "A.npz", sparse.dia_array(np.eye(3)))
    assert data_errors("{file: A.npz}") == [
        "problem.yaml:4:11: data.A: 'A.npz': a sparse matrix in layout 'dia'; save it as A.tocsr()"
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"indices": np.array([0, 9])}, "indices that do not fit it"),
        ({"indices": np.array([0, -1])}, "indices that do not fit it"),
        ({"indptr": np.array([0, 2, 1, 2])}, "indices that do not fit it"),
        ({"indptr": np.array([0, 2])}, "indices that do not fit it"),
        ({"indptr": np.array([1, 1, 2, 2])}, "indices that do not fit it"),
        ({"indptr": np.array([0, 1, 2, 3])}, "indices that do not fit it"),
        ({"indices": np.array([0, 3])}, "indices that do not fit it"),
        ({"indices": np.array([0, 1, 2])}, "indices that do not fit it"),
        ({"indices": np.array([0.0, 1.0])}, "whose 'indices' is no vector of integers"),
        ({"format": np.bytes_(b"12345678")}, "a sparse matrix in layout '12345678'"),
        ({"format": np.bytes_(b"123456789")}, "'format.npy' holds |S9"),
        ({"shape": np.array([3, 10_000_001])}, "needs two lengths from 1 to 10000000"),
        ({"shape": np.array([0, 3])}, "needs two lengths from 1 to 10000000"),
        ({"shape": np.array([3, 10**15])}, "needs two lengths from 1 to 10000000"),
        ({"shape": np.array([3, 3, 3])}, "needs two lengths from 1 to 10000000"),
        ({"data": np.array([1.0])}, "indices that do not fit it"),
        ({"data": np.array([1.0, np.nan])}, "the entry [1,1] is nan"),
    ],
)
def test_damaged_scipy_npz(folder, data_errors, change, message):
    parts = {
        "format": np.bytes_(b"csr"),
        "shape": np.array([3, 3]),
        "data": np.array([1.0, 2.0]),
        "indices": np.array([0, 1]),
        "indptr": np.array([0, 1, 2, 2]),
    }
    np.savez(folder / "A.npz", **{**parts, **change})
    (found,) = data_errors("{file: A.npz}")
    assert message in found


@pytest.mark.parametrize(
    "change",
    [
        {"row": np.array([0, 3])},
        {"row": np.array([0, -1])},
        {"col": np.array([0, 3])},
        {"row": np.array([0])},
        {"col": np.array([0, 1, 2])},
        {"data": np.array([1.0])},
    ],
)
def test_damaged_scipy_npz_by_coordinates(folder, data_errors, change):
    parts = {
        "format": np.bytes_(b"coo"),
        "shape": np.array([3, 3]),
        "data": np.array([1.0, 2.0]),
        "row": np.array([0, 2]),
        "col": np.array([2, 1]),
    }
    np.savez(folder / "A.npz", **{**parts, **change})
    (found,) = data_errors("{file: A.npz}")
    assert "indices that do not fit it" in found


def test_pickles_are_never_loaded(folder, data_errors):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, ("executed",)

    np.save(folder / "A.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    np.savez(folder / "A.npz", A=np.array([Bomb()], dtype=object))
    expected = "holds Python objects (a pickle), which are never loaded; save numbers"
    assert data_errors("{file: A.npy}") == [f"problem.yaml:4:11: data.A: 'A.npy': {expected}"]
    assert data_errors("{file: A.npz}") == [f"problem.yaml:4:11: data.A: 'A.npz': 'A.npy' {expected}"]
    (folder / "A.npy").write_bytes(b"\x80\x04N.")
    assert data_errors("{file: A.npy}") == [
        "problem.yaml:4:11: data.A: 'A.npy': not a .npy file, or one that is cut or damaged"
    ]
    assert not (folder / "executed").exists()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.array([1j]), "holds complex128; only real floats"),
        (np.array(["a"]), "holds <U1; only real floats"),
        (np.zeros(2, dtype=[("a", "f8")]), "only real floats"),
        (np.zeros(0), "is empty, or declares a negative length (shape (0,))"),
        (np.array([[1.0, 2.0], [3.0, np.nan]]), "the entry [1,1] is nan"),
        (np.array([1.0, -np.inf]), "the entry [1] is -inf"),
    ],
)
def test_arrays_that_are_no_finite_numbers(folder, data_errors, value, message):
    np.save(folder / "A.npy", value)
    (found,) = data_errors("{file: A.npy}")
    assert message in found


def npy_header(shape: str, descr: str = "<f8") -> bytes:
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (npy_header("(1000000000000,)"), "declares 8000000000000 bytes of numbers and has 0: cut, or damaged"),
        (npy_header("(2,)") + b"\0" * 17, "declares 16 bytes of numbers and has 17: cut, or damaged"),
        (npy_header("(-2, -1)") + b"\0" * 16, "is empty, or declares a negative length"),
        (npy_header("(0, 100000000000000000000)"), "is empty, or declares a negative length"),
        (npy_header("(" * 3000), "not a .npy file"),
        (npy_header("__import__('os')"), "not a .npy file"),
        (b"\x93NUMPY\x03\x00", ".npy version 3.0; 1.0 and 2.0 are read"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\x7f", "not a .npy file"),
        (b"\x93NUMPY\x01", "not a .npy file"),
        (npy_header("(2,)"), "declares 16 bytes of numbers and has 0"),
        (npy_header("(1,)")[:-1], "not a .npy file"),
        (npy_header("[2]") + b"\0" * 16, "not a .npy file"),
        (npy_header("(True,)") + b"\0" * 8, "not a .npy file"),
        (npy_header("(2,)", "<f16") + b"\0" * 32, "holds float128; only real floats"),
        (npy_header("(2,)", "|O") + b"\0" * 16, "holds Python objects"),
        (npy_header("(2,)", "<f3") + b"\0" * 6, "not a .npy file"),
        (npy_header("(2,)" + " " * 10_000) + b"\0" * 16, "not a .npy file"),
        (npy_header(f"({'1, ' * 33})") + b"\0" * 8, "not a .npy file"),
        (npy_header("(2,)").replace(b"False", b"0    ") + b"\0" * 16, "not a .npy file"),
    ],
)
def test_damaged_npy(folder, data_errors, content, message):
    (folder / "A.npy").write_bytes(content)
    (found,) = data_errors("{file: A.npy}")
    assert message in found


def test_headers_at_their_limits(folder, read, data_errors):
    room = 10_000 - len(npy_header("(2,)")) + 10  # the ten bytes before the header are not of it
    (folder / "A.npy").write_bytes(npy_header("(2,)" + " " * room) + b"\0" * 16)
    assert read({"file": "A.npy"}).tolist() == [0, 0]
    (folder / "A.npy").write_bytes(npy_header("(2,)" + " " * (room + 1)) + b"\0" * 16)
    assert "not a .npy file" in data_errors("{file: A.npy}")[0]
    (folder / "A.npy").write_bytes(npy_header(f"({'1, ' * 32})") + b"\0" * 8)
    assert read({"file": "A.npy"}).shape == (1,) * 32


def archive(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as out:
        for name, content in members:
            out.writestr(name, content)
    return stream.getvalue()


def npy(value) -> bytes:
    stream = io.BytesIO()
    np.save(stream, value)
    return stream.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("A.npy", npy(np.zeros(1_000_000)))], "more than 200:1; save it uncompressed (np.savez), or sparse"),
        ([("A.npy", npy(np.ones(1))), ("A.npy", npy(np.ones(2)))], "holds two arrays named 'A'"),
        ([("A.npy", npy(np.ones(1))), ("B", b"raw")], "holds something else than arrays"),
        ([("A\x1b[31m.npy", npy(np.ones(1)))], "holds something else than arrays"),
        ([(f"A{k}.npy", b"") for k in range(1001)], "holds 1001 arrays; needs 1 to 1000"),
        ([], "holds 0 arrays; needs 1 to 1000"),
        ([("A.npy", b"junk")], "'A.npy' not a .npy file"),
    ],
)
def test_hostile_npz(folder, data_errors, members, message):
    (folder / "A.npz").write_bytes(archive(members))
    (found,) = data_errors("{file: A.npz}")
    assert message in found


def forged(**fields) -> bytes:
    """An archive of one array of 1000 bytes, whose directory says of it what `fields` say."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as out:
        out.writestr("A.npy", npy(np.zeros(109)))
        for name, value in fields.items():
            setattr(out.infolist()[0], name, value)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"flag_bits": 1}, "'A' is encrypted or packed in an unusual way"),
        ({"compress_size": 2_000, "file_size": 2_000}, "holds members that overlap"),
        ({"file_size": 999}, "not an .npz file, or one that is cut or damaged"),
        ({"file_size": 1_001}, "'A.npy' is not of the size that it declares"),
        ({"CRC": 0}, "not an .npz file, or one that is cut or damaged"),
    ],
)
def test_npz_whose_directory_is_forged(folder, read, data_errors, fields, message):
    (folder / "A.npz").write_bytes(forged())
    assert len(read({"file": "A.npz"})) == 109
    (folder / "A.npz").write_bytes(forged(**fields))
    (found,) = data_errors("{file: A.npz}")
    assert found.endswith(message)


def test_archives_at_their_limits(folder, read, data_errors, monkeypatch):
    (folder / "A.npz").write_bytes(archive([(f"A{k}.npy", npy(np.ones(1))) for k in range(1000)]))
    assert read({"file": "A.npz", "key": "A999"}) == 1
    (found,) = data_errors("{file: A.npz, key: B}")
    assert found.endswith(f"has no array 'B' (arrays here: {', '.join(f'A{k}' for k in range(20))})")
    (folder / "A.npz").write_bytes(archive([(f"{'A' * 200}.npy", npy(np.ones(1)))]))
    assert read({"file": "A.npz"}) == 1
    (folder / "A.npz").write_bytes(archive([(f"{'A' * 201}.npy", npy(np.ones(1)))]))
    assert "holds something else than arrays" in data_errors("{file: A.npz}")[0]
    (folder / "A.npz").write_bytes(archive([("A.npy", npy(np.ones(1))), ("B.npy", npy(np.ones(1)))]))
    monkeypatch.setattr(numpy_files, "MAX_DATA_BYTES", 2 * len(npy(np.ones(1))))
    assert read({"file": "A.npz", "key": "A"}) == 1
    monkeypatch.setattr(numpy_files, "MAX_DATA_BYTES", 2 * len(npy(np.ones(1))) - 1)
    assert "unfolds to more than 271 bytes" in data_errors("{file: A.npz, key: A}")[0]


def test_an_array_may_unfold_to_two_hundred_times_its_archive(folder, read, data_errors, monkeypatch):
    (folder / "A.npz").write_bytes(archive([("A.npy", npy(np.zeros(10_000)))]))
    with zipfile.ZipFile(folder / "A.npz") as packed:
        (entry,) = packed.infolist()
    monkeypatch.setattr(numpy_files, "SMALL", entry.file_size)
    assert read({"file": "A.npz"}).size == 10_000
    monkeypatch.setattr(numpy_files, "SMALL", entry.file_size - 1)
    assert f"unfolds from {entry.compress_size} to {entry.file_size} bytes" in data_errors("{file: A.npz}")[0]
    monkeypatch.setattr(numpy_files, "MAX_RATIO", entry.file_size / entry.compress_size)
    assert read({"file": "A.npz"}).size == 10_000


def test_npz_in_an_unusual_packing(folder, data_errors):
    (folder / "A.npz").write_bytes(archive([("A.npy", npy(np.ones(3)))], zipfile.ZIP_LZMA))
    (found,) = data_errors("{file: A.npz}")
    assert "'A' is encrypted or packed in an unusual way" in found


def test_npz_whose_directory_lies(folder, data_errors):
    content = archive([("A.npy", npy(np.ones(3)))], zipfile.ZIP_STORED)
    size = len(npy(np.ones(3))).to_bytes(4, "little")
    at = content.rindex(size)
    (folder / "A.npz").write_bytes(content[:at] + (4_000).to_bytes(4, "little") + content[at + 4 :])
    (found,) = data_errors("{file: A.npz}")
    assert "damaged" in found or "declares" in found


# -- csv


@pytest.mark.parametrize(
    ("text", "entry", "expected"),
    [
        ("1,2\n3,4\n", {}, [[1, 2], [3, 4]]),
        ("a,b\n1,2\n3,4\n", {}, [[1, 2], [3, 4]]),
        ('"a";"b"\r\n1;2\r\n3;4\r\n', {"key": "b"}, [2, 4]),
        ("1\t2e-1\n\n3\t.5\n", {}, [[1, 0.2], [3, 0.5]]),
        ("x\n1\n2\n", {}, [1, 2]),
        ("1\n2\n", {"header": True}, [2]),
        ("\ufeffa,b\n1, 2\n", {"key": "a"}, [1]),
    ],
)
def test_csv(folder, read, text, entry, expected):
    (folder / "A.csv").write_text(text, newline="")
    np.testing.assert_array_equal(read({"file": "A.csv", **entry}), expected)


@pytest.mark.parametrize(
    ("text", "entry", "expected"),
    [
        ("1,2\n3,x\n", "", "A.csv:2:3: data.A: 'x' is not a number"),
        ("1,2\n3,\n", "", "A.csv:2:3: data.A: a number is missing"),
        ("1,2\n3\n", "", "A.csv:2:2: data.A: 1 fields where 2 are needed"),
        ("1,2\n3,4,5\n", "", "A.csv:2:5: data.A: 3 fields where 2 are needed"),
        ("1,2\n\n3, nan\n", "", "A.csv:3:4: data.A: nan is not a finite number"),
        ("nan,2\n", "", "A.csv:1:1: data.A: nan is not a finite number"),
        ("1,2\n3,1e999\n", "", "A.csv:2:3: data.A: 1e999 is too large for float64"),
        ("1,2\n3,0x10\n", "", "A.csv:2:3: data.A: '0x10' is not a number"),
        ("1,2\n3,1_0\n", "", "A.csv:2:3: data.A: '1_0' is not a number"),
        ("1,2\n3,\u0664\n", "", "A.csv:2:3: data.A: '\u0664' is not a number"),
        ("a,b\n", "", "A.csv:2:1: data.A: there is a header, and no numbers below it"),
        ("a,b\n1,2\n", ", key: c", "A.csv:1:1: data.A: has no column 'c' (columns here: a, b)"),
        ("a,a\n1,2\n", ", key: a", "A.csv:1:1: data.A: has 2 column 'a' (columns here: a, a)"),
        (
            ",".join(f"c{k}" for k in range(25)) + "\n" + ",".join("1" * 25) + "\n",
            ", key: z",
            f"A.csv:1:1: data.A: has no column 'z' (columns here: {', '.join(f'c{k}' for k in range(20))})",
        ),
        (f"1,{'x' * 31}\n", ", header: false", f"A.csv:1:3: data.A: '{'x' * 30}' is not a number"),
        (f"1,1{'0' * 400}\n", "", f"A.csv:1:3: data.A: 1{'0' * 29} is too large for float64"),
        ("1,2\n", ", key: c", "A.csv:1:1: data.A: has no header, so `key` cannot name a column"),
        ("a,b\n1,2\n", ", header: false", "A.csv:1:1: data.A: 'a' is not a number"),
        (
            "1,2\n3,4",
            "",
            "A.csv:2:4: data.A: the last line does not end, as in a file that is cut; add a "
            "newline, or give its sha256",
        ),
        ("1,2\n3,\x1b4\n", "", "A.csv:2:3: data.A: the control character U+001B"),
        ("\n\n", "", "problem.yaml:4:11: data.A: 'A.csv': the file is empty"),
    ],
)
def test_bad_csv(folder, data_errors, text, entry, expected):
    (folder / "A.csv").write_text(text)
    assert data_errors(f"{{file: A.csv{entry}}}") == [expected]


def test_csv_that_is_not_utf8(folder, data_errors):
    (folder / "A.csv").write_bytes(b"1,2\n3,\xff\n")
    assert data_errors("{file: A.csv}") == ["A.csv:2:3: data.A: not UTF-8 text"]


# -- MatrixMarket


def test_mtx(folder, read, data_errors):
    head = "%%MatrixMarket matrix coordinate real general\n"
    (folder / "A.mtx").write_text(f"{head}2 2 2\n1 2 0.5\n2 1 3\n")
    np.testing.assert_array_equal(read({"file": "A.mtx"}).toarray(), [[0, 0.5], [3, 0]])
    (folder / "A.mtx").write_text(f"{head}2 2 1\n1 3 0.5\n")
    assert data_errors("{file: A.mtx}") == ["A.mtx:3:3: data.A: the column 3; from 1 to 2"]
    (folder / "A.mtx").write_text(f"{head}2 2 1\n1 2 0.5")
    assert data_errors("{file: A.mtx}")[0].startswith("A.mtx:3:8: data.A: the last line does not end")
    digest = hashlib.sha256((folder / "A.mtx").read_bytes()).hexdigest()
    assert read({"file": "A.mtx", "sha256": digest}).nnz == 1


# -- LIBSVM


@pytest.mark.parametrize(
    ("text", "entry", "expected"),
    [
        ("+1 1:0.5 3:2\n-1 2:1\n", {}, [[0.5, 0, 2], [0, 1, 0]]),
        ("# comment\n+1 1:0.5 3:2 # one\n-1 2:1\n", {"key": "y"}, [1, -1]),
        ("1 0:1 1:2\n", {}, [[1, 2]]),
        ("1 1:1\n2\n", {"features": 3}, [[1, 0, 0], [0, 0, 0]]),
        ("1 0:1 2:5\n", {"features": 3}, [[1, 0, 5]]),
        ("1 3:1\n", {"features": 3}, [[0, 0, 1]]),
        ("1\n2\n", {}, [[0], [0]]),
        ("1 000000000000003:1\n", {"features": 3}, [[0, 0, 1]]),
    ],
)
def test_libsvm(folder, read, text, entry, expected):
    (folder / "A.libsvm").write_text(text)
    np.testing.assert_array_equal(dense(read({"file": "A.libsvm", **entry})), expected)


def test_libsvm_agrees_with_scikit_learn(folder, read):
    datasets = pytest.importorskip("sklearn.datasets")
    X, y = datasets.load_iris(return_X_y=True)
    datasets.dump_svmlight_file(X, y, str(folder / "A.svm"), zero_based=False)
    np.testing.assert_allclose(read({"file": "A.svm"}).toarray(), X, rtol=1e-12)
    np.testing.assert_array_equal(read({"file": "A.svm", "key": "y"}), y)


@pytest.mark.parametrize(
    ("text", "entry", "expected"),
    [
        ("1 1:0.5\nnan 1:1\n", "", "A.svm:2:1: data.A: nan is not a finite number"),
        ("1 1:0.5\n1 2:inf\n", "", "A.svm:2:5: data.A: inf is not a finite number"),
        ("1 1:0.5 1:2\n", "", "A.svm:1:9: data.A: the index 1 after 1; indices ascend"),
        ("1 2000000000:1\n", "", "A.svm:1:3: data.A: the index 2000000000; at most 10000000"),
        ("1 5:1\n", ", features: 3", "A.svm:1:3: data.A: the index 5; the file is said to have 3 features"),
        ("1 qid:1 1:2\n", "", "A.svm:1:3: data.A: 'qid:1' is not index:value"),
        ("1,2 1:2\n", "", "A.svm:1:1: data.A: '1,2' is not a number"),
        ("1 1:\n", "", "A.svm:1:5: data.A: a number is missing"),
        ("1 1\n", "", "A.svm:1:3: data.A: '1' is not index:value"),
        (
            "1 0:1 3:1\n",
            ", features: 3",
            "problem.yaml:4:11: data.A: 'A.svm': has indices from 0 to 3, more than 3 features",
        ),
        ("1 0000000000000001:1\n", "", "A.svm:1:3: data.A: '0000000000000001:1' is not index:value"),
        (f"1 {'x' * 31}\n", "", f"A.svm:1:3: data.A: '{'x' * 30}' is not index:value"),
        ("1 10000001:1\n", "", "A.svm:1:3: data.A: the index 10000001; at most 10000000"),
        ("1 4:1\n", ", features: 3", "A.svm:1:3: data.A: the index 4; the file is said to have 3 features"),
        ("# only\n", "", "problem.yaml:4:11: data.A: 'A.svm': there are no samples in it"),
        ("1 1:1\n", ", key: z", "problem.yaml:4:11: data.A: 'A.svm': has no 'z' (arrays here: X, y)"),
    ],
)
def test_bad_libsvm(folder, data_errors, text, entry, expected):
    (folder / "A.svm").write_text(text)
    assert data_errors(f"{{file: A.svm{entry}}}") == [expected]


# -- paths and sha256


def test_sha256(folder, read, data_errors):
    (folder / "A.csv").write_text("1,2")  # no newline: the sum says that it is whole
    digest = hashlib.sha256(b"1,2").hexdigest()
    np.testing.assert_array_equal(read({"file": "A.csv", "sha256": digest.upper()}), [[1, 2]])
    assert data_errors(f"{{file: A.csv, sha256: {'a' * 64}}}") == [
        f"problem.yaml:4:33: data.A.sha256: 'A.csv' has sha256 {digest}: not the file that is meant"
    ]
    (found,) = data_errors("{file: A.csv, sha256: abc}")
    assert found.startswith("problem.yaml:4:33: data.A.sha256: string should match pattern")


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("A.npy", "no such file: 'A.npy'"),
        ("../A.npy", "'../A.npy' leads out of the problem's folder"),
        ("sub/../../A.npy", "'sub/../../A.npy' leads out of the problem's folder"),
        ("/etc/hosts.npy", "'/etc/hosts.npy' is an absolute path; name a file in the problem's folder"),
        ("C:\\A.npy", "'C:\\A.npy' is an absolute path; name a file in the problem's folder"),
        ("link.npy", "'link.npy' leads out of the problem's folder"),
        ("loop.npy", "'loop.npy'"),
        ("linked/A.npy", "'linked/A.npy' leads out of the problem's folder"),
        ("folder.npy", "'folder.npy': not a regular file"),
        ("pipe.npy", "'pipe.npy': not a regular file"),
        ("A.pkl", "'A.pkl': no reader for '.pkl' (readers: .npy, .npz, .csv, .mtx, .libsvm, .svm, .svmlight)"),
        ("A.mtx.gz", "'A.mtx.gz': no reader for '.gz'"),
    ],
)
def test_paths(tmp_path_factory, folder, data_errors, file, expected):
    outside = tmp_path_factory.mktemp("outside")
    np.save(outside / "A.npy", np.ones(3))
    (folder / "link.npy").symlink_to(outside / "A.npy")
    (folder / "loop.npy").symlink_to(folder / "loop.npy")
    (folder / "linked").symlink_to(outside)
    (folder / "folder.npy").mkdir()
    os.mkfifo(folder / "pipe.npy")
    (found,) = data_errors(f"{{file: '{file}'}}")
    assert found.startswith(f"problem.yaml:4:11: data.A: {expected}")


def test_links_within_the_folder_are_fine(folder, read):
    np.save(folder / "B.npy", np.ones(3))
    (folder / "A.npy").symlink_to("B.npy")
    np.testing.assert_array_equal(read({"file": "A.npy"}), np.ones(3))


def test_a_file_is_opened_once(folder, read, monkeypatch, good):
    from solverkit.formats import data, load

    np.savez(folder / "A.npz", A=np.eye(2), b=np.ones(2))
    (folder / "problem.yaml").write_text(
        good.replace("upper:", "data: {A: {file: A.npz, key: A}, b: {file: A.npz, key: b}}\nupper:", 1)
    )
    opened = []
    original = data.read
    monkeypatch.setattr(data, "read", lambda *arguments: opened.append(arguments) or original(*arguments))
    load("problem.yaml")
    assert len(opened) == 1


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{file: A.npy, key: a}", "problem.yaml:4:11: data.A: `key` has no meaning for .npy"),
        ("{file: A.npz, features: 3}", "problem.yaml:4:11: data.A: `features` has no meaning for .npz"),
        ("{file: A.npz, header: true}", "problem.yaml:4:11: data.A: `header` has no meaning for .npz"),
        ("{file: 3}", "problem.yaml:4:18: data.A.file: must be text, not a number; put it in quotes"),
        (
            "{fil: A.npz}",
            "problem.yaml:4:12: data.A.fil: unknown key; did you mean 'file'? (keys here: file, "
            "key, sha256, header, features)",
        ),
        (
            "hello",
            "problem.yaml:4:11: data.A: must be {file: ...}, {sklearn: ...}, {generate: ...} or a list of numbers",
        ),
        ("[1, .inf]", "problem.yaml:4:11: data.A: the entry [1] is inf"),
        ("[[1, 2], [3]]", "problem.yaml:4:11: data.A: a list needs entries, all of one length"),
        ("{file: S.npz, key: data}", "problem.yaml:4:11: data.A: 'S.npz': holds one sparse matrix; leave `key` out"),
        ('{file: ""}', "problem.yaml:4:18: data.A.file: string should have at least 1 character"),
    ],
)
def test_entries_that_make_no_sense(folder, data_errors, entry, expected):
    sparse.save_npz(folder / "S.npz", sparse.csr_array(np.eye(2)))
    assert data_errors(entry) == [expected]


def test_of_data_with_a_name_that_cannot_be_nothing_is_read(errors):
    (found,) = errors(("upper:", "data: {sum: {file: nowhere.npy}}\nupper:"))
    assert found.startswith("problem.yaml:4:8: data.sum: 'sum' is a function")


def test_data_that_is_called_like_a_parameter(errors):
    assert errors(("upper:", "parameters: {A: 1}\ndata: {A: [1]}\nupper:")) == [
        "problem.yaml:5:8: data.A: 'A' is a parameter already; choose another name"
    ]


def test_a_sparse_matrix_where_a_vector_belongs(folder, errors):
    sparse.save_npz(folder / "S.npz", sparse.csr_array(np.eye(2)))
    found = errors(("upper:", "data: {S: {file: S.npz}}\nupper:"), ("start: 1", "start: S"))
    assert len(found) == 1
    assert found[0].startswith("problem.yaml:6:36: upper.variables.x.start: ")


def test_several_bad_entries_at_once(errors):
    found = errors(("upper:", "data: {A: {file: A.npy}, sum: [1], B: {}, C: [1, x]}\nupper:"))
    assert [line.split(": ")[0] + ": " + line.split(": ")[1] for line in found] == [
        "problem.yaml:4:11: data.A",
        "problem.yaml:4:26: data.sum",
        "problem.yaml:4:39: data.B",
        "problem.yaml:4:50: data.C[1]",
    ]


# -- written out, bundled, generated


def test_written_out(read):
    np.testing.assert_array_equal(read([[1, 2], [3, "n"]], n=4.0), [[1, 2], [3, 4]])
    assert read(3) == 3


def test_bundled(read, data_errors):
    datasets = pytest.importorskip("sklearn.datasets")
    np.testing.assert_array_equal(read({"sklearn": "iris"}), datasets.load_iris()["data"])
    np.testing.assert_array_equal(read({"sklearn": "iris", "key": "target"}), datasets.load_iris()["target"])
    assert data_errors("{sklearn: mnist}") == [
        "problem.yaml:4:11: data.A: no data set 'mnist' (choices: breast_cancer, diabetes, digits, iris, wine)"
    ]
    assert data_errors("{sklearn: iris, key: y}") == ["problem.yaml:4:32: data.A.key: must be 'data' or 'target'"]


def test_bundled_without_scikit_learn(read, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(MissingPackage, match=r"pip install scikit-learn$"):
        read({"sklearn": "iris"})


def several(size, seed=0, law: str = "normal"):
    rng = np.random.default_rng(seed)
    return {"A": getattr(rng, law)(size=(size, size)), "size": np.array([size])}


@pytest.fixture
def generators(monkeypatch):
    """A registry with some generators; the list of calls."""
    from solverkit.errors import UsageError
    from solverkit.registry import registry

    calls = []

    def counted(size, seed=0, law: str = "normal"):
        calls.append(size)
        return several(size, seed, law)

    def broken(size):
        raise RuntimeError("no\nway")

    def missing():
        raise MissingPackage("needs the package of names")

    known = {
        "several": counted,
        "one": lambda size: np.ones(size),
        "broken": broken,
        "missing": missing,
        "nan": lambda: np.array([np.nan]),
    }

    def source(name):
        if name not in known:
            raise UsageError(f"unknown generator '{name}'")
        return known[name]

    monkeypatch.setattr(registry, "source", source, raising=False)
    return calls


def test_generated(generators, read):
    expected = several(4, 3)["A"]
    found = read({"generate": "several", "size": "2*n", "seed": 3, "law": "normal", "key": "A"}, n=2.0)
    np.testing.assert_array_equal(found, expected)
    assert generators == [4]
    assert isinstance(generators[0], int)
    np.testing.assert_array_equal(read({"generate": "one", "size": 3}), np.ones(3))


def test_a_generator_that_needs_a_package_says_which(generators, read):
    with pytest.raises(MissingPackage, match="needs the package of names"):
        read({"generate": "missing"})


def test_a_generator_is_called_once_for_the_same_numbers(generators, folder, good):
    from solverkit.formats import load

    (folder / "problem.yaml").write_text(
        good.replace(
            "upper:",
            "data: {A: {generate: several, size: 2, key: A}, b: {generate: several, size: 2, key: size}}\nupper:",
            1,
        )
    )
    load("problem.yaml")
    assert generators == [2]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{generate: none}", "4:11: data.A: unknown generator 'none'"),
        (
            "{generate: several, size: 2}",
            "4:11: data.A: the generator 'several' makes several arrays; choose one with `key`",
        ),
        (
            "{generate: several, size: 2, key: B}",
            "4:11: data.A: the generator 'several' makes several arrays; has no 'B'",
        ),
        ("{generate: one, size: 2, key: B}", "4:11: data.A: the generator 'one' makes one array; leave `key` out"),
        (
            "{generate: one, n: 2}",
            "4:11: data.A: the generator 'one': missing a required argument: 'size' (it takes size)",
        ),
        ("{generate: one, size: m}", "4:33: data.A.size: unknown name 'm'"),
        ("{generate: one, size: 9**9**9}", "4:33: data.A.size: the constant overflows"),
        ("{generate: one, size: .inf}", "4:33: data.A.size: must be finite"),
        (
            "{generate: one, size: [1]}",
            "4:33: data.A.size: must be a number or an expression of parameters, not a list",
        ),
        ("{generate: broken, size: 1}", "4:11: data.A: the generator 'broken' failed: RuntimeError: no way"),
        ("{generate: nan}", "4:11: data.A: the entry [0] is nan"),
    ],
)
def test_bad_generation(generators, data_errors, entry, expected):
    (found,) = data_errors(entry)
    assert found.startswith(f"problem.yaml:{expected}")
