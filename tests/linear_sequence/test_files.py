"""Problem files: every form against dense algebra, and what is wrong with its place."""

from __future__ import annotations

import numpy as np
import pytest

from solverkit.errors import InvalidProblem
from solverkit.formats.load import load
from solverkit.kinds.base import PointStatus
from solverkit.kinds.linear_sequence import limits
from solverkit.kinds.linear_sequence.certificate import certify
from tests.linear_sequence.cases import answers

DATA = """
  A: [[2, 1, 0], [1, 3, 1], [0, 1, 4]]
  R: [[1, 0, 0], [0, 2, 0], [0, 0, 1]]
  V: [[2, 1, 1, 3, 1, 1, 4], [4, 0, 0, 4, 0, 0, 4]]
  B: [[1, 2, 3], [4, 5, 6]]
  c: [0.5, 2]
  C: [[0.5, 1], [2, 1]]
  w: [[1, 0.5], [1, 2]]"""
A = np.array([[2.0, 1, 0], [1, 3, 1], [0, 1, 4]])
R = np.diag([1.0, 2.0, 1.0])
B = np.array([[1.0, 2, 3], [4, 5, 6]])


@pytest.fixture
def file(tmp_path):
    """file(form, more) -> the path of a problem file with `DATA`."""

    def write(form, more="", data=DATA):
        path = tmp_path / "problem.yaml"
        path.write_text(f"solverkit: 1\nkind: linear-sequence\nname: tiny\n{form}\n{more}\ndata:{data}\n")
        return path

    return write


def dense(problem):
    return np.array([problem.system(t, np.zeros(problem.n)).matrix.toarray() for t in range(problem.T)])


def test_recorded_values_stand_by_rows(file):
    problem = load(file("systems: {pattern: A, values: V, right_hand_sides: B, context: C}", "rtol: 1e-9"))
    assert np.array_equal(dense(problem), [A, 4 * np.eye(3)])
    assert np.array_equal(problem.system(1).rhs, B[1])
    assert problem.context_names == ("context0", "context1")
    assert problem.rtol == 1e-9
    assert not problem.depends


def test_one_matrix_with_many_right_hand_sides(file):
    problem = load(file("systems: {matrix: A, right_hand_sides: B, context: c, context_names: [load]}"))
    assert {"constant", "symmetric"} <= problem.provides
    assert np.array_equal(dense(problem), [A, A])
    assert problem.context_names == ("load",)


@pytest.mark.parametrize(("by", "matrix"), [("", np.eye(3)), (", by: R", R)])
def test_shifted(file, by, matrix):
    problem = load(file(f"shifted: {{matrix: A, shifts: c, right_hand_sides: [1, 0, 0]{by}}}"))
    assert np.array_equal(dense(problem), [A + 0.5 * matrix, A + 2 * matrix])
    assert ("shifted" in problem.provides) is (not by)
    assert problem.context_names == ("shift",)
    assert np.array_equal(problem.system(1).rhs, [1, 0, 0])


def test_stepping_against_the_recurrence(file):
    form = (
        "stepping: {matrices: [A, R], coefficients: w, previous: [R, A], previous_coefficients: C, forcing: B,"
        " initial: [1, 2, 3], context: c}"
    )
    problem = load(file(form, "rtol: 1e-10"))
    assert problem.depends
    u, x = np.array([1.0, 2, 3]), []
    for t, (a, r) in enumerate([((1, 0.5), (0.5, 1)), ((1, 2), (2, 1))]):
        u = np.linalg.solve(a[0] * A + a[1] * R, (r[0] * R + r[1] * A) @ u + B[t])
        x.append(u)
    assert answers(problem) == pytest.approx(np.array(x), rel=1e-12)
    assert certify(problem, {"x": np.array(x)}).status is PointStatus.CERTIFIED


def test_a_sparse_union_of_patterns(file):
    data = DATA + "\n  P: [[0, 0, 5], [0, 0, 0], [5, 0, 0]]"
    problem = load(file("shifted: {matrix: R, by: P, shifts: c, right_hand_sides: B}", data=data))
    assert problem.pattern.nnz == 5
    assert np.array_equal(dense(problem)[1], R + 2 * np.array([[0, 0, 5], [0, 0, 0], [5, 0, 0]]))


def test_a_grid_makes_stencils(file):
    assert "stencil" in load(file("systems: {matrix: A, right_hand_sides: B}", "grid: [1, 3]")).provides
    with pytest.raises(InvalidProblem, match=r":5:7: grid: a grid of 2 x 3 points, and 3 unknowns"):
        load(file("systems: {matrix: A, right_hand_sides: B}", "grid: [2, 3]"))
    data = DATA + "\n  P: [[1, 0, 5], [0, 1, 0], [5, 0, 1]]"
    with pytest.raises(InvalidProblem, match=r"the entry \[0,2\] couples points that are no neighbours"):
        load(file("systems: {matrix: P, right_hand_sides: B}", "grid: [3]", data))


WRONG = [
    ("", "kind: give exactly one of systems, shifted, stepping, folder; here is none"),
    (
        "systems: {matrix: A, right_hand_sides: B}\nshifted: {matrix: A, shifts: c, right_hand_sides: B}",
        "shifted: give exactly one of systems, shifted, stepping, folder; here are systems and shifted",
    ),
    ("systems: {matrix: A, values: V, right_hand_sides: B}", "systems: needs either `pattern` and `values`"),
    ("systems: {matrix: B, right_hand_sides: B}", r"systems.matrix: has shape \(2, 3\); the matrices of a sequence"),
    ("systems: {matrix: Z, right_hand_sides: B}", "systems.matrix: unknown name 'Z'"),
    ("systems: {pattern: A, values: B, right_hand_sides: B}", r"systems.values: has shape \(2, 3\); needs \(T, 7\)"),
    ("systems: {pattern: A, values: V, right_hand_sides: V}", r"right_hand_sides: has shape \(2, 7\); needs \(2, 3\)"),
    ("systems: {matrix: A, right_hand_sides: c}", r"has shape \(2,\); needs \(T, 3\)"),
    ("systems: {matrix: A, right_hand_sides: B, context: A}", r"context: has shape \(3, 3\); needs \(2,\) or \(2, k\)"),
    ("systems: {matrix: A, right_hand_sides: B, context: C, context_names: [a]}", "needs 2 different names"),
    ("systems: {matrix: A, right_hand_sides: B, context_names: [a]}", "names of a context that is not given"),
    ("shifted: {matrix: A, shifts: C, right_hand_sides: B}", r"shifted.shifts: has shape \(2, 2\); needs \(T,\)"),
    (
        "shifted: {matrix: A, by: [[1]], shifts: c, right_hand_sides: B}",
        r"shifted.by: has shape \(1, 1\), and the first",
    ),
    (
        "stepping: {matrices: [A], coefficients: w, previous: [R], previous_coefficients: 1}",
        r"stepping.coefficients: has shape \(2, 2\); needs \(T, 1\)",
    ),
    (
        "stepping: {matrices: [A, R], coefficients: w, previous: [[[1]]], previous_coefficients: 1}",
        r"stepping.previous\[0\]: has shape \(1, 1\), not \(3, 3\)",
    ),
    ("systems: {matrix: A, right_hand_sides: B}\nrtol: 2", "rtol: a number between 0 and 1, not 2"),
    ("systems: {patern: A, values: V, right_hand_sides: B}", "systems.patern: unknown key; did you mean 'pattern'"),
    ("systemz: {matrix: A, right_hand_sides: B}", "systemz: unknown key; did you mean 'systems'"),
    ("folder: steps", "folder: must be a mapping, not text"),
    ("folder: {path: nowhere}", "folder.path: no such file: 'nowhere'"),
    ("folder: {path: ../..}", "folder.path: '../..' leads out of the problem's folder"),
]


@pytest.mark.parametrize(("form", "words"), WRONG)
def test_one_wrong_form_is_one_sentence_with_its_place(file, form, words):
    with pytest.raises(InvalidProblem, match=words) as caught:
        load(file(form))
    assert len(caught.value.defects) == 1
    assert caught.value.defects[0].line > 0


def test_data_that_cannot_be_read_is_the_only_defect(file):
    with pytest.raises(InvalidProblem) as caught:
        load(file("systems: {matrix: M, right_hand_sides: B}", data=DATA + "\n  M: {file: none.mtx}"))
    assert [defect.path for defect in caught.value.defects] == ["data.M"]


def test_too_large_a_sequence_is_refused_before_anything_is_allocated(file, monkeypatch):
    monkeypatch.setattr(limits, "MAX_POINT", 5)
    with pytest.raises(InvalidProblem, match=r"2 systems of 3 unknowns have 6 numbers .* at most 1 systems"):
        load(file("systems: {matrix: A, right_hand_sides: B}"))


# -- folders


@pytest.fixture
def folder(tmp_path, file):
    """folder(name=text, ...) -> the path of a problem file over MatrixMarket files with these texts."""

    def write(**texts):
        (tmp_path / "steps").mkdir()
        for name, text in texts.items():
            (tmp_path / "steps" / f"{name}.mtx").write_text(text)
        return file("folder: {path: steps}", data="\n  unused: [1]")

    return write


def mtx(*entries, n=2):
    body = "".join(f"{i} {j} {value}\n" for i, j, value in entries)
    return f"%%MatrixMarket matrix coordinate real symmetric\n{n} {n} {len(entries)}\n{body}"


def vector(*values):
    return f"%%MatrixMarket matrix array real general\n{len(values)} 1\n" + "".join(f"{value}\n" for value in values)


GOOD = mtx((1, 1, 2), (2, 1, 1), (2, 2, 2))


def test_numbers_give_the_order(folder):
    systems = {f"A_{k}": mtx((1, 1, k), (2, 1, 1), (2, 2, k)) for k in (2, 10, 3)}
    problem = load(folder(**systems, **{f"b_{k}": vector(k, 0) for k in (2, 10, 3)}, notes="left alone"))
    assert dense(problem)[:, 0, 0].tolist() == [2, 3, 10]
    assert [problem.system(t).rhs[0] for t in range(3)] == [2, 3, 10]


def test_one_matrix_for_all(folder):
    problem = load(folder(A=GOOD, b_1=vector(1, 0), b_2=vector(0, 1)))
    assert "constant" in problem.provides
    assert np.array_equal(dense(problem)[1], [[2, 1], [1, 2]])


FOLDERS = [
    ({"A_1": GOOD}, "no b_1.mtx, b_2.mtx, ... in 'steps'"),
    ({"A_1": GOOD, "b_1": vector(1, 0), "b_2": vector(1, 0)}, "'b_2.mtx' has no matrix of the same number"),
    ({"A_1": GOOD, "A_2": GOOD, "b_1": vector(1, 0)}, "'A_2.mtx' has no right-hand side of the same number"),
    ({"A_1": GOOD, "A_01": GOOD, "b_1": vector(1, 0)}, "'A_01.mtx' and 'A_1.mtx' have the same number"),
    ({"A": GOOD, "A_1": GOOD, "b_1": vector(1, 0)}, "'A.mtx' and numbered matrices are both there"),
    ({"A_1": GOOD, "b_1": GOOD}, "'b_1.mtx' is a sparse matrix"),
    ({"A_1": GOOD, "b_1": vector(1, 2, 3)}, r"'b_1.mtx': system 0: the right-hand side has shape \(3,\), not \(2,\)"),
    (
        {"A_1": GOOD, "b_1": vector(1, 2), "A_2": mtx((1, 1, 1), (2, 2, 1)), "b_2": vector(1, 2)},
        "'A_2.mtx', .* system 1",
    ),
    ({"A_1": GOOD, "b_1": vector(1, "nan")}, "b_1.mtx:4:1: folder.path"),
    ({"A_1": GOOD[:-6], "b_1": vector(1, 2)}, "A_1.mtx:.*the file may be cut"),
]


@pytest.mark.parametrize(("texts", "words"), FOLDERS)
def test_wrong_folders(folder, texts, words):
    with pytest.raises(InvalidProblem, match=words) as caught:
        load(folder(**texts))
    assert len(caught.value.defects) == 1


def test_a_link_out_of_the_folder_is_refused(folder, tmp_path, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "secret.mtx"
    outside.write_text(GOOD)
    path = folder(b_1=vector(1, 2))
    (tmp_path / "steps" / "A_1.mtx").symlink_to(outside)
    with pytest.raises(InvalidProblem, match="leads out of the problem's folder"):
        load(path)
