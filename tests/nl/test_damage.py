"""Damaged .nl files are refused with their place, or mean the same; none of them hurts the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import solverkit as sk
from solverkit.formats.files import Refused
from solverkit.formats.nl.model import read_model
from solverkit.formats.nl.problem import problem_of

from .files import MODELS, WHOLE, problem, unconstrained

SMALL = [WHOLE.encode(), unconstrained("o0 v0 n1.25", 1).encode()]


@pytest.mark.parametrize("content", SMALL, ids=["mixed", "one variable"])
def test_a_file_cut_at_any_byte_is_refused(content):
    for length in range(len(content)):
        with pytest.raises(Refused) as error:
            read_model(content[:length])
        assert error.value.line >= 1


def test_a_file_without_any_linear_part_is_still_refused_when_cut():
    content = unconstrained("n3", 2).replace(" 0 2\n 0 0\n 0 0 0 0 0\n", " 0 0\n 0 0\n 0 0 0 0 0\n").encode()
    content = content[: content.index(b"G0")]
    whole = problem_of(read_model(content), "flat")
    accepted = []
    for length in range(len(content)):
        try:
            cut = problem_of(read_model(content[:length]), "flat")
        except Refused:
            continue
        accepted.append(length)
        np.testing.assert_array_equal(cut.lowest, whole.lowest)
        np.testing.assert_array_equal(cut.highest, whole.highest)
    assert accepted == [content.index(b"k1")]  # what the k segment says is known without it


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.parent.name)
def test_a_file_cut_between_lines_is_refused(path):
    lines = path.read_bytes().splitlines(keepends=True)
    for count in range(0, len(lines), max(1, len(lines) // 50)):
        with pytest.raises(Refused):
            read_model(b"".join(lines[:count]))


@pytest.mark.parametrize("seed", range(2))
def test_mutants_are_read_or_refused_and_nothing_else(seed, tmp_path):
    file = tmp_path / "whole.nl"
    file.write_text(WHOLE)
    program = Path(__file__).parent / "mutants.py"
    done = subprocess.run(
        [sys.executable, str(program), str(seed), "1500", str(file)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    accepted, refused = map(int, done.stdout.split())
    assert accepted + refused == 1500
    assert refused > accepted


def test_every_count_of_the_header_that_promises_something_is_held_against_the_file():
    lines = WHOLE.split("\n")
    # variables, constraints, objectives; nonlinear and complementarity; functions; discrete; nonzeros; defined
    for line, position in [(1, 0), (1, 1), (1, 2), (2, 2), (2, 3), (5, 1), (6, 0), (6, 1), (7, 0), (7, 1), (9, 0)]:
        words = lines[line].partition("#")[0].split()
        words[position] = str(int(words[position]) + 1)
        changed = "\n".join([*lines[:line], " ".join(words), *lines[line + 1 :]])
        with pytest.raises(Refused):
            problem(changed)


REFUSALS = {
    "empty": ("", 1, "may be cut"),
    "binary": ("b3 1 1 0\n", 1, "a binary .nl file"),
    "yaml": ("solverkit: 1\n", 1, "begins with g and a digit"),
    "no variables": (WHOLE.replace(" 4 3 1 1 1", " 0 3 1 1 1"), 2, "no variables"),
    "two objectives": (WHOLE.replace(" 4 3 1 1 1", " 4 3 2 1 1"), 2, "2 objectives"),
    "logical": (WHOLE.replace(" 4 3 1 1 1", " 4 3 1 1 1 2"), 2, "2 logical constraints"),
    "complementarity counted": (WHOLE.replace(" 2 1 0 0 0 0", " 2 1 1 0 0 0"), 3, "complementarity"),
    "complementarity met": (WHOLE.replace("\n1 4\n", "\n5 1 2\n"), None, "complementarity"),
    "binary variable": (WHOLE.replace(" 0 0 0 0 0 \t# disc", " 1 0 0 0 0 \t# disc"), 7, "x[3] are discrete"),
    "integer variable": (WHOLE.replace(" 0 0 0 0 0 \t# disc", " 0 0 1 0 0 \t# disc"), 7, "x[2] are discrete"),
    "function declared": (WHOLE.replace("S4 1 priority\n0 3", "F0 1 2 gamma"), 11, "function 'gamma'"),
    "function called": (WHOLE.replace("o41\nv3", "f0 1\nv3"), None, "calls an imported function"),
    "round": (WHOLE.replace("o41\nv3", "o57\nv3\nn0"), None, "o57 (round)"),
    "unknown operator": (WHOLE.replace("o41\nv3", "o999\nv3"), None, "o999 (unknown)"),
    "not a number": (WHOLE.replace("n2.5", "nnan"), None, "'nan' where a number"),
    "infinite": (WHOLE.replace("n2.5", "n1e999"), None, "too large"),
    "half a number": (WHOLE.replace("n2.5", "n1e"), None, "'1e' where a number"),
    "underscore": (WHOLE.replace("n2.5", "n1_0"), None, "'1_0' where a number"),
    "variable too high": (WHOLE.replace("o41\nv3", "o41\nv5"), None, "a variable is from 0 to 4"),
    "defined by itself": (WHOLE.replace("v0\nv1\no44", "v0\nv4\no44"), None, "v4 is used before"),
    "defined twice": (WHOLE.replace("C0\nv4", "V4 0 0\nn1\nC0\nv4"), None, "V4 is a variable already"),
    "defines a variable": (WHOLE.replace("V4 1 0", "V3 1 0"), None, "V3 is a variable already"),
    "crossed bounds": (WHOLE.replace("0 1 3.5", "0 4 3.5"), None, "leave no room"),
    "twice in a row": (WHOLE.replace("0 0\n1 0\n2 1", "0 0\n0 0\n2 1"), None, "was given already"),
    "second C": (WHOLE.replace("C1\n", "C0\n"), None, "a second C0"),
    "second b": (WHOLE.replace("k3\n", "b\n3\n3\n3\n3\nk3\n"), None, "a second b segment"),
    "k disagrees": (WHOLE.replace("k3\n3\n5", "k3\n3\n4"), None, "k segment does not agree"),
    "too many entries": (WHOLE.replace("J2 2\n0 1\n1 1\n", "J2 3\n0 1\n1 1\n2 1\n"), None, "8 entries in J"),
    "count beyond the file": (WHOLE.replace(" 4 3 1 1 1", " 4 3 500 1 1"), 2, "a count is from 0 to 84, not 500"),
    "functions beyond the file": (WHOLE.replace(" 0 0 0 1\t# lin", " 0 500 0 1\t# lin"), 6, "from 0 to 84, not 500"),
    "too few counts": (WHOLE.replace(" 7 4 \t", " 7 \t"), 8, "line 8 of an .nl file has 2 to 2 counts, not 1"),
    "too many counts": (WHOLE.replace(" 7 4 \t", " 7 4 1\t"), 8, "line 8 of an .nl file has 2 to 2 counts, not 3"),
    "no count": (WHOLE.replace(" 7 4 \t", " 7 x \t"), 8, "'x' where a count is expected"),
    "unknown segment": (WHOLE.replace("r\n1 4", "q\n1 4"), None, "'q' where a segment"),
    "no expression": (WHOLE.replace("o41\nv3", "x41\nv3"), None, "'x41' where an expression"),
    "no line": (WHOLE.replace("o41\nv3", "\nv3"), None, "'' where an expression"),
    "many discrete": (
        unconstrained("v0", 9).replace(" 0 0 0 0 0\n", " 2 5 0 0 0\n", 1),
        7,
        "x[2], x[3], x[4], x[5], x[6] and 2 more",
    ),
    "five discrete": (
        unconstrained("v0", 9).replace(" 0 0 0 0 0\n", " 2 3 0 0 0\n", 1),
        7,
        "x[4], x[5], x[6], x[7], x[8] are",
    ),
    "operator beyond all": (WHOLE.replace("o41\nv3", "o1000\nv3"), None, "an operator is from 0 to 999, not 1000"),
    "suffix of no kind": (WHOLE.replace("S4 1 pri", "S8 1 pri"), 11, "a kind of suffix is from 0 to 7, not 8"),
    "suffix of variables": (WHOLE.replace("priority\n0 3", "priority\n4 3"), 12, "has an index below 4"),
    "suffix of rows": (WHOLE.replace("S4 1 priority\n0 3", "S5 1 priority\n3 3"), 12, "has an index below 3"),
    "suffix of objectives": (WHOLE.replace("S4 1 priority\n0 3", "S2 1 priority\n1 3"), 12, "has an index below 1"),
    "suffix of all": (WHOLE.replace("S4 1 priority\n0 3", "S7 1 priority\n1 3"), 12, "has an index below 1"),
    "second O": (WHOLE.replace("d2\n0 1.5", "O0 1\nn1\nd2\n0 1.5"), None, "a second O0"),
    "second J": (WHOLE.replace("J1 2\n", "J0 2\n"), None, "a second J0"),
    "second G": (WHOLE + "G0 4\n0 3\n1 0\n2 0\n3 0\n", 85, "a second G0"),
    "second G after an empty one": (WHOLE.replace("G0 4\n", "G0 0\nG0 4\n"), 81, "a second G0"),
    "short k": (WHOLE.replace("k3\n", "k2\n"), None, "2 entries of a k segment; 3 are needed"),
    "logical met": (WHOLE.replace("C1\n", "L0\nn1\nC1\n"), None, "a logical constraint"),
    "promises": (WHOLE.replace(" 4 3 1 1 1", " 50 50 1 1 1"), 2, "bounds of 100 variables and rows do not fit"),
    "promises one too many": (WHOLE.replace(" 4 3 1 1 1", " 42 43 1 1 1"), 2, "bounds of 85 variables and rows do not"),
    "promises just too many": (WHOLE.replace(" 4 3 1 1 1", " 42 42 1 1 1"), None, "V4 is a variable already"),
    "sum of nothing": (WHOLE.replace("o54\n3\n", "o54\n0\n"), None, "sum of nothing"),
    "no form": (WHOLE.replace("J1 2\n", "J1\n"), None, "a segment of the form J<row> <entries> is expected"),
    "index too high": (WHOLE.replace("2 0\n3 0\n", "2 0\n4 0\n"), 84, "an entry of G0 has an index below 4"),
    "infinite entry": (WHOLE.replace("2 0\n3 0\n", "2 1e999\n3 0\n"), 83, "an entry of G0 has a finite number"),
    "three of one": (WHOLE.replace("0 3\n1 0\n2 0\n3 0\n", "0 3\n2 0\n2 1\n2 2\n"), 83, "G0 was given already"),
    "long line": (WHOLE.replace("v3\n", "v3" + " " * 2000 + "x\n"), None, "at most 1000"),
}
"""A text, the line that is named (None: the one that was changed), and part of the message."""


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_wrong_is_named_with_its_line(name, tmp_path):
    text, line, message = REFUSALS[name]
    (tmp_path / "model.nl").write_text(text)
    with pytest.raises(sk.InvalidProblem) as error:
        sk.load(tmp_path / "model.nl")
    defect = error.value.defects[0]
    assert message in defect.message
    assert (defect.file, defect.column) == ("model.nl", 1)
    if line is not None:
        assert defect.line == line
    else:
        assert 10 < defect.line <= text.count("\n") + 1


def test_bounds_that_leave_one_number():
    found = problem(WHOLE.replace("0 1 3.5", "0 2 2"))
    assert (found.lower[2], found.upper[2]) == (2, 2)


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ("1 0 0 0 0", "x[5]"),
        ("0 2 0 0 0", "x[4], x[5]"),
        ("0 0 1 0 0", "x[0]"),
        ("0 0 0 1 0", "x[1]"),
        ("0 0 0 0 1", "x[3]"),
        ("1 1 1 1 1", "x[0], x[1], x[3], x[4], x[5]"),
    ],
)
def test_discrete_variables_end_their_groups(counts, shown):
    """Of six variables one is nonlinear in both, two in constraints and four in objectives."""
    text = unconstrained("v0", 6).replace(" 0 6 0\n", " 2 4 1\n").replace(" 0 0 0 0 0\n", f" {counts}\n", 1)
    with pytest.raises(Refused) as error:
        problem(text)
    assert f"the variables {shown} are discrete" in error.value.message


def test_suffixes_of_rows_objectives_and_the_problem_are_passed_over():
    for kind, entry in (("S1", "2 1.5"), ("S5", "0 1.5"), ("S6", "0 1"), ("S7", "0 1")):
        text = WHOLE.replace("S4 1 priority\n0 3", f"{kind} 1 note\n{entry}")
        np.testing.assert_array_equal(problem(text).lower, problem(WHOLE).lower)


def test_flags_and_lengths_of_names_count_nothing_in_the_file():
    text = WHOLE.replace(" 0 0 0 1\t# lin", " 0 0 500 500\t# lin").replace(" 0 0\t# max", " 500 700\t# max")
    assert text.count("500") == 3
    np.testing.assert_array_equal(problem(text).lower, problem(WHOLE).lower)


def test_the_line_is_the_very_line():
    text = WHOLE.replace("n2.5", "n2,5")
    with pytest.raises(Refused) as error:
        read_model(text.encode())
    assert text.split("\n")[error.value.line - 1] == "n2,5"
    text = WHOLE.replace("0 3\n1 0\n", "0 3\n1 0x\n")
    with pytest.raises(Refused) as error:
        read_model(text.encode())
    assert text.split("\n")[error.value.line - 1] == "1 0x"
    with pytest.raises(Refused, match="the file ends where an entry of G0 is expected") as error:
        read_model(WHOLE[: -len("3 0\n")].encode())
    assert (error.value.line, error.value.column) == (84, 1)


def test_names_beside_the_file(tmp_path):
    (tmp_path / "m.nl").write_text(WHOLE)
    (tmp_path / "m.col").write_text("a\nb\nc\nd\n")
    (tmp_path / "m.row").write_text("first\nsecond\nthird\ngain\n")
    found = sk.load(tmp_path / "m.nl")
    assert found.column_names == ("a", "b", "c", "d")
    assert found.row_names == ("first", "second", "third")
    (tmp_path / "m.nl").write_text(REFUSALS["binary variable"][0])
    with pytest.raises(sk.InvalidProblem, match="the variables d are discrete"):
        sk.load(tmp_path / "m.nl")
    (tmp_path / "m.col").write_text("a\nb\nc\n")
    with pytest.raises(sk.InvalidProblem, match=r"'m.col' has 3 names, and the problem 4"):
        sk.load(tmp_path / "m.nl")


def test_a_problem_file_names_an_nl_file(tmp_path):
    def load(*lines):
        head = ["solverkit: 1", "name: named", *lines]
        (tmp_path / "problem.yaml").write_text("\n".join(head) + "\n")
        return sk.load(tmp_path / "problem.yaml")

    (tmp_path / "model.nl").write_text(WHOLE)
    found = load("kind: nonlinear", "nl: model.nl", "expect: {objective: 1+1, point: {x: [1, 2, 3, 4]}}")
    assert found.name == "named"
    assert found.expected["objective"] == 2.0
    np.testing.assert_array_equal(found.expected["point"]["x"], [1, 2, 3, 4])
    for lines, message in [
        (("kind: dag", "nl: model.nl"), "3:7: kind: an .nl file holds a problem of kind nonlinear"),
        (("kind: nonlinear", "nl: ../model.nl"), "leads out of the problem's folder"),
        (("kind: nonlinear", "nl: other.nl"), "no such file"),
        (("kind: nonlinear", "nl: model.txt"), "4:5: nl:"),
        (("kind: nonlinear", "nl: model.nl", "minimize: x"), "minimize: unknown key"),
        (("kind: nonlinear", "nl: model.nl", "expect: {point: {y: 1}}"), "no such variable"),
    ]:
        with pytest.raises(sk.InvalidProblem) as error:
            load(*lines)
        assert message in str(error.value)
    (tmp_path / "model.nl").write_text(WHOLE[:-2])
    with pytest.raises(sk.InvalidProblem, match=r"^model.nl:84:1: "):
        load("kind: nonlinear", "nl: model.nl")
    with pytest.raises(sk.UsageError, match="the file has no parameter 'n'"):
        sk.load(tmp_path / "model.nl", parameters={"n": 1})
