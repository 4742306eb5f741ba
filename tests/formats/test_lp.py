"""LP files: what they say, against HiGHS's reader; what is refused, with its place; cut files."""

from __future__ import annotations

import numpy as np
import pytest

import solverkit as sk
from solverkit.errors import InvalidProblem
from solverkit.formats.files import Refused
from solverkit.formats.lp import model as lp
from solverkit.formats.lp.model import read_model
from solverkit.formats.mps.problem import problem_of

WHOLE = r"""\ every part of the language
Maximize
 profit: 3 a + 2.5e0b - - c + 7
Subject To
 time: a + b + c <= 4
 material: 2 <= a + 3 b - c <= 6
 - a + b >= -10
 3 = c + d + c
Bounds
 -inf <= a <= 3
 b >= 0.5
 0 <= c <= infinity
 d free
General
Binary
End
"""


def sides(text: str):
    """(c, A, row sides, bounds, names, maximize, constant)."""
    problem = problem_of(read_model(text.encode()), "x")
    return problem.structure, problem


def test_every_part():
    program, _ = sides(WHOLE)
    np.testing.assert_array_equal(program.c, [-3, -2.5, -1, 0])
    np.testing.assert_array_equal(program.A.toarray(), [[1, 1, 1, 0], [1, 3, -1, 0], [-1, 1, 0, 0], [0, 0, 2, 1]])
    np.testing.assert_array_equal(program.row_lower, [-np.inf, 2, -10, 3])
    np.testing.assert_array_equal(program.row_upper, [4, 6, np.inf, 3])
    np.testing.assert_array_equal(program.lower, [-np.inf, 0.5, 0, -np.inf])
    np.testing.assert_array_equal(program.upper, [3, np.inf, np.inf, np.inf])


@pytest.mark.parametrize(
    ("change", "place", "message"),
    [
        (("Maximize", "Maximise x"), (3, 8), "before the next one is named"),
        (("Maximize", "Hello"), (2, 1), "begins with Minimize or Maximize"),
        (("Subject To", "Subject"), (5, 2), "beginning of 'Subject to'"),
        (("a + b + c <= 4", "a + b + c + 1 <= 4"), (5, 2), "a number without a variable"),
        (("a + b + c <= 4", "<= 4"), (5, 8), "a row has at least one term"),
        (("a + b + c <= 4", "a + b + c <="), (6, 2), "'material' where a number is expected"),
        (("<= 6", ">= 6"), (6, 2), "point in one direction"),
        (("material:", "time:"), (6, 2), "there is a row 'time' already"),
        (("a + b + c <= 4", "[ a * b ] <= 4"), (5, 8), "quadratic terms"),
        (("a + b + c <= 4", "a = 1 -> b <= 4"), (5, 14), "indicator constraints"),
        (("General", "General\n a"), (15, 2), "integer variables"),
        (("Binary", "Binary\n a b"), (16, 2), "binary variables"),
        (("b >= 0.5", "b >= 0.5\n b >= 1"), (12, 2), "'b' has this bound already"),
        (("b >= 0.5", "b <= -2"), (11, 2), "no lower one"),
        (("End", ""), (15, 1), "has no End"),
        (("End", "End\nx"), (17, 1), "text after End"),
        (("time: a", "time: a \x00"), (5, 10), "has no place in an LP file"),
        (("2.5e0b", "1e999 b"), (3, 16), "beyond the numbers"),
        (("time: a", f"time: {'a' * 300}"), (5, 8), "a word of 300 characters"),
        (("Binary", "Subject To"), (15, 9), "there already, or comes too late"),
        (("- - c", "- 1e308 c - 1e308 c"), (3, 45), "the terms of 'c' sum to more than float64 holds"),
    ],
)
def test_refused_with_its_place(change, place, message):
    text = WHOLE.replace(*change, 1)
    assert text != WHOLE
    with pytest.raises(Refused) as error:
        read_model(text.encode())
    assert message in error.value.message == str(error.value)
    assert (error.value.line, error.value.column) == place


def test_a_file_of_more_terms_than_are_read(monkeypatch):
    text = WHOLE.encode()
    monkeypatch.setattr(lp, "MAX_COUNT", 14)
    assert len(read_model(text).columns) == 4
    monkeypatch.setattr(lp, "MAX_COUNT", 13)
    with pytest.raises(Refused, match="more than 13 terms"):
        read_model(text)


def test_a_file_cut_at_any_byte_is_refused_or_the_same():
    whole = read_model(WHOLE.encode())
    for length in range(len(WHOLE)):
        try:
            cut = read_model(WHOLE[:length].encode())
        except Refused:
            continue
        assert cut == whole
        assert length == len(WHOLE) - 1  # the last line end


def test_the_longest_name():
    name = "x" * 255
    assert list(read_model(f"Minimize\n {name}\nst\n {name} >= 1\nEnd\n".encode()).columns) == [name]
    with pytest.raises(Refused, match="a word of 256 characters; at most 255"):
        read_model(f"Minimize\n {name}x\nst\n {name} >= 1\nEnd\n".encode())


def test_bounds_in_any_order_and_names_that_are_taken():
    text = "Minimize\n x\nst\n obj: x >= -3\n x <= 9\n R1: x >= -4\nBounds\n x <= -2\n x >= -5\nEnd\n"
    program, _ = sides(text)
    assert (program.lower, program.upper) == (-5, -2)
    np.testing.assert_array_equal(program.row_lower, [-3, -np.inf, -4])
    assert list(read_model(text.encode()).types) == ["", "obj", "row 2", "R1"]


@pytest.mark.parametrize(
    ("bound", "sides_of_x"),
    [
        ("- - 3 <= x", (3, np.inf)),
        ("- + - - 3 <= x", (-3, np.inf)),
        ("x >= - - - 3", (-3, np.inf)),
        ("- -inf >= x", (0, np.inf)),
        ("x = - 3", (-3, -3)),
        ("x <= 0", (0, 0)),
        ("x <= 0.5", (0, 0.5)),
    ],
)
def test_signs_in_a_row(bound, sides_of_x):
    program, _ = sides(f"Minimize\n x\nst\n x - - y >= 1\nBounds\n {bound}\nEnd\n")
    assert (program.lower[0], program.upper[0]) == sides_of_x
    np.testing.assert_array_equal(program.A.toarray(), [[1, 1]])


def test_from_the_command_of_a_user(tmp_path):
    file = tmp_path / "diet.lp"
    file.write_text("Minimize\n cost: 2 x + 3 y\nst\n protein: x + 2 y >= 4\n x + y >= 3\nEnd\n")
    result = sk.solve(sk.load(file))
    assert result.success
    assert result.fun == pytest.approx(7)
    file.write_text("Minimize\n cost: 2 x\nst\nEnd\n")
    with pytest.raises(InvalidProblem, match="no row"):
        sk.load(file)


@pytest.mark.parametrize("seed", range(12))
def test_against_highs(tmp_path, seed):
    """HiGHS writes a random program as LP and reads it back: it and this reader see the same."""
    highspy = pytest.importorskip("highspy")
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, 6, 2)
    text = _random_program(rng, int(m), int(n))
    file = tmp_path / "model.lp"
    file.write_text(text)
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    assert highs.readModel(str(file)) == highspy.HighsStatus.kOk
    again = tmp_path / "again.lp"
    highs.writeModel(str(again))
    lp = highs.getLp()
    for path in (file, again):
        program, _ = sides(path.read_text())
        order = [lp.col_names_.index(name) for name in read_model(path.read_bytes()).columns]
        sign = -1.0 if lp.sense_ == highspy.ObjSense.kMaximize else 1.0
        np.testing.assert_allclose(program.c, sign * np.array(lp.col_cost_)[order])
        np.testing.assert_allclose(program.lower, np.array(lp.col_lower_)[order])
        np.testing.assert_allclose(program.upper, np.array(lp.col_upper_)[order])
        if path == file:
            np.testing.assert_allclose(program.row_lower, lp.row_lower_)
            np.testing.assert_allclose(program.row_upper, lp.row_upper_)


def _random_program(rng: np.random.Generator, m: int, n: int) -> str:
    names = [f"x{k}" for k in range(n)]

    def terms() -> str:
        return " ".join(f"{rng.choice(['+', '-'])} {rng.integers(1, 9)} {name}" for name in names)

    rows = []
    for k in range(m):
        side = int(rng.integers(-9, 9))
        rows.append(f" r{k}: {terms()} {rng.choice(['<=', '>=', '='])} {side}")
    bounds = []
    for name in names:
        low = int(rng.integers(-5, 5))
        forms = ("", f" {low} <= {name} <= {low + 3}", f" {name} free", f" {name} >= {low}", f" {name} = {low}")
        bounds.append(str(rng.choice(forms)))
    sense = rng.choice(["Minimize", "Maximize"])
    return "\n".join([sense, f" obj: {terms()}", "Subject To", *rows, "Bounds", *filter(None, bounds), "End", ""])
