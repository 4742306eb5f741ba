"""MPS files: what they say, against HiGHS's reader; and whatever they do wrong, by file and line."""

from __future__ import annotations

import random
from importlib.util import find_spec

import numpy as np
import pytest

from solverkit.errors import Defect, InvalidProblem
from solverkit.formats.load import load
from solverkit.formats.mps import model
from solverkit.formats.mps.model import read_model
from solverkit.formats.mps.problem import read_either
from solverkit.formats.mps.text import fixed

WHOLE = """\
* every section that is read
NAME          whole
OBJSENSE
    MAX
ROWS
 N  COST
 L  LIM1
 G  LIM2
 E  MYEQN
 N  OTHER
COLUMNS
    XONE      COST               1.0   LIM1               1.0
    XONE      LIM2              1.d0
    YTWO      COST               4.0   LIM1               1.0
    YTWO      MYEQN             -1.0   OTHER              3.0
    ZTHREE    COST               9.0   LIM2               1.0
    ZTHREE    MYEQN              1.0
RHS
    RHS       LIM1               4.0   LIM2               1.0
    RHS       MYEQN              7.0   COST              -5.0
RANGES
    RNG       LIM1               2.5   MYEQN             -3.0
BOUNDS
 UP BND       XONE               4.0
 LO BND       YTWO              -1.0
 UP BND       YTWO               1.0
 FR BND       ZTHREE
ENDATA
"""


@pytest.fixture
def written(tmp_path):
    """Writes a file and loads it."""

    def load_text(text):
        path = tmp_path / "model.mps"
        path.write_text(text)
        return load(path)

    return load_text


def facts(problem) -> tuple:
    s = problem.structure
    sides = (s.c, s.A.toarray(), s.row_lower, s.row_upper, s.lower, s.upper)
    return (*(side.tolist() for side in sides), s.constant, s.maximize, s.columns, s.rows)


def test_every_section(written):
    program = written(WHOLE).structure
    assert program.columns == ("XONE", "YTWO", "ZTHREE")
    assert program.rows == ("LIM1", "LIM2", "MYEQN")
    assert program.maximize
    np.testing.assert_array_equal(-program.c, [1, 4, 9])
    assert -program.constant == 5
    np.testing.assert_array_equal(program.A.toarray(), [[1, 1, 0], [1, 0, 1], [0, -1, 1]])
    np.testing.assert_array_equal(program.row_lower, [1.5, 1, 4])
    np.testing.assert_array_equal(program.row_upper, [4, np.inf, 7])
    np.testing.assert_array_equal(program.lower, [0, -1, -np.inf])
    np.testing.assert_array_equal(program.upper, [4, 1, np.inf])


def test_free_format_is_the_same(written):
    words = [" ".join(line.split()) if line[0] != " " else " " + " ".join(line.split()) for line in WHOLE.splitlines()]
    assert facts(written("\n".join(words) + "\n")) == facts(written(WHOLE))
    without_sets = WHOLE.replace("    RHS  ", "    ").replace("    RNG  ", "    ").replace(" BND ", " ")
    assert facts(written(without_sets)) == facts(written(WHOLE))
    assert facts(written(WHOLE.replace("\n", "\r\n"))) == facts(written(WHOLE))


def test_names_with_blanks(written):
    spaced = WHOLE.replace("LIM1", "LI 1").replace("XONE", "X NE")
    program = written(spaced).structure
    assert (program.rows[0], program.columns[0]) == ("LI 1", "X NE")
    np.testing.assert_array_equal(program.row_lower, [1.5, 1, 4])


def test_names_beyond_ascii_are_divided_by_blanks_alone(written):
    program = written("NAME t\nROWS\n N c\n L r\nCOLUMNS\n x\u00a0y c 1 r\t1\n z c 1\nENDATA\n").structure
    assert len(program.columns) == 2
    np.testing.assert_array_equal(program.A.toarray(), [[1, 0]])


def test_fixed_columns_alone():
    model = read_model(WHOLE.encode(), fixed)
    assert model.columns["YTWO"] == {"COST": 4.0, "LIM1": 1.0, "MYEQN": -1.0, "OTHER": 3.0}
    assert model.lower == {"YTWO": -1.0, "ZTHREE": -np.inf}


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        (" UP B XONE -2\n MI B XONE", (-np.inf, -2)),
        (" LO B XONE -3\n UP B XONE -2", (-3, -2)),
        (" UP B XONE 0", (0, 0)),
        (" MI B XONE", (-np.inf, np.inf)),
        (" MI XONE\n UP XONE 3", (-np.inf, 3)),
        (" FX B XONE 2.5", (2.5, 2.5)),
        (" UP B XONE inf", (0, np.inf)),
        (" UP B XONE 1e30", (0, np.inf)),
        (" FR B XONE\n PL B XONE", (-np.inf, np.inf)),
        (" MI B XONE 0", (-np.inf, np.inf)),
    ],
)
def test_bounds(written, bounds, expected):
    text = WHOLE.replace(" UP BND       XONE               4.0", bounds).replace(" BND ", " B ")
    program = written(text).structure
    assert (program.lower[0], program.upper[0]) == expected


@pytest.mark.parametrize(
    ("kind", "span", "sides"),
    [("L", -2, (1, 3)), ("G", -2, (3, 5)), ("E", 2, (3, 5)), ("E", -2, (1, 3)), ("E", 0, (3, 3)), ("L", 0, (3, 3))],
)
def test_ranges(written, kind, span, sides):
    text = f"NAME t\nROWS\n N c\n {kind} r\nCOLUMNS\n x c 1 r 1\nRHS\n r 3\nRANGES\n r {span}\nENDATA\n"
    program = written(text).structure
    assert (program.row_lower[0], program.row_upper[0]) == sides


WRONG = [
    ("ENDATA\n", "", "no ENDATA"),
    ("ENDATA\n", "ENDAT", "is no section"),
    ("ENDATA\n", "ENDATA\n more\n", "29:1: text after ENDATA"),
    (" L  LIM1", " Q  LIM1", "7:1: the type of a row"),
    (" G  LIM2", " G  LIM1", "8:1: the row 'LIM1' was given already"),
    (" LIM2              1.d0", " LIM9              1.d0", "13:1: no row 'LIM9'"),
    ("1.d0", "one", "13:1: 'one' where a number is expected"),
    ("1.d0", "1e999", "13:1: the number 1e999 is infinite"),
    ("    XONE      LIM2 ", "    XONE      LIM1 ", "13:1: column 'XONE' has an entry in row 'LIM1' already"),
    ("    ZTHREE    MYEQN", "    XONE      MYEQN", "17:1: column 'XONE' goes on"),
    ("    RHS       MYEQN", "    RH2       MYEQN", "20:1: a second set 'RH2'"),
    (" FR BND       ZTHREE", " BV BND       ZTHREE", "27:1: a bound of type BV: binary variables"),
    (" FR BND       ZTHREE", " FR BND       ZTHRE", "27:1: no column 'ZTHRE'"),
    (" FR BND       ZTHREE", " QQ BND       ZTHREE", "27:1: 'QQ' is no type"),
    ("XONE               4.0", "XONE              -4.0", "24:1: column 'XONE' has the upper bound -4 and no lower one"),
    ("    MAX", "    MOST", "4:1: OBJSENSE is MAX or MIN"),
    ("RANGES", "QUADOBJ", "21:1: section QUADOBJ: a quadratic objective"),
    ("RANGES", "ROWS", "21:1: a second section ROWS"),
    ("COLUMNS\n", "COLUMNS\n    M1  'MARKER'  'INTORG'\n", "12:1: a MARKER for integer variables"),
    ("NAME          whole", " x 1", "2:1: a line of data before a section"),
    (
        "    RHS       LIM1               4.0",
        "    RHS       LIM1               inf",
        "19:1: the number inf is infinite",
    ),
    ("1.0   LIM1               1.0\n    XONE ", "1.0   LIM1\n    XONE ", "an entry is a column, a row and a number"),
    ("COLUMNS\n", "COLUMNS\n    M1  'MARKER'  'INTERN'\n", "12:1: a MARKER that is neither INTORG nor INTEND"),
    (
        "    RHS       MYEQN              7.0",
        "    RHS       LIM1               7.0",
        "20:1: the right-hand side of row 'L",
    ),
    (
        "    RHS       MYEQN              7.0",
        "    RHS       COST               0.0",
        "20:1: the right-hand side of row 'C",
    ),
    ("MYEQN             -3.0", "LIM1              -3.0", "22:1: the range of row 'LIM1' was given already"),
    ("MYEQN             -3.0", "COST              -3.0", "22:1: a range of the objective 'COST'"),
    (" FR BND       ZTHREE", " UP BND       YTWO               2.0", "27:1: a second upper bound of column 'YTWO'"),
    (" FR BND       ZTHREE", " FX BND       YTWO               1.0", "27:1: a second lower bound of column 'YTWO'"),
    ("OBJSENSE\n", "OBJNAME\n    COAST\nOBJSENSE\n", "OBJNAME asks for the row 'COAST', which is not there"),
    ("ROWS\n", "RHS\n", "5:1: section RHS before ROWS"),
    ("COLUMNS\n", "BOUNDS\n", "11:1: section BOUNDS before COLUMNS"),
    (
        " LO BND       YTWO              -1.0",
        " LO BND       YTWO               3.0",
        "column 'YTWO' has lower side 3 and upper",
    ),
    ("XONE               4.0", f"{'X' * 2000} 4.0", "24:2000: a line of 2018 characters; at most 2000 are read"),
    (" N  COST", " N  CO ST X", "a row has a type and a name"),
]


@pytest.mark.parametrize(("old", "new", "message"), WRONG)
def test_what_is_wrong_has_its_line(written, old, new, message):
    assert old in WHOLE
    with pytest.raises(InvalidProblem) as caught:
        written(WHOLE.replace(old, new, 1))
    assert message in str(caught.value)
    assert str(caught.value).startswith("model.mps")


def test_files_without_columns_or_rows(written):
    with pytest.raises(InvalidProblem, match=r"model.mps:5:1: the file has no columns"):
        written("NAME t\nROWS\n N c\nCOLUMNS\nENDATA\n")
    with pytest.raises(InvalidProblem, match="there is no row but objectives"):
        written("NAME t\nROWS\n N c\nCOLUMNS\n x c 1\nENDATA\n")
    found = Defect(
        "model.mps", 0, 0, "", "column 'x' has lower side 1e+20 and upper side inf, which leave no room for a number"
    )
    with pytest.raises(InvalidProblem) as caught:
        written("NAME t\nROWS\n N c\n L r\nCOLUMNS\n x c 1 r 1\nBOUNDS\n LO B x 1e20\nENDATA\n")
    assert caught.value.defects == [found]
    with pytest.raises(InvalidProblem, match="section COLUMNS before ROWS"):
        written("NAME t\nCOLUMNS\n x c 1\nENDATA\n")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("OBJSENSE\n    MAX\n", "OBJSENSE MAXIMIZE\n"),
        ("OBJSENSE\n", "OBJNAME\n    COST\nOBJSENSE\n"),
        ("COLUMNS\n", "COLUMNS\n    M1        'MARKER'                 'INTEND'\n"),
    ],
)
def test_other_ways_to_say_the_same(written, old, new):
    assert facts(written(WHOLE.replace(old, new))) == facts(written(WHOLE))


def test_the_objective_that_is_asked_for(written):
    program = written(
        WHOLE.replace("OBJSENSE\n", "OBJNAME OTHER\nOBJSENSE\n").replace("COST              -5.0", "")
    ).structure
    np.testing.assert_array_equal(-program.c, [0, 3, 0])
    assert program.rows == ("LIM1", "LIM2", "MYEQN")


@pytest.mark.parametrize(("most", "line"), [(9, 17), (4, 10)])
def test_a_file_of_more_entries_or_rows_than_are_read(written, monkeypatch, most, line):
    monkeypatch.setattr(model, "MAX_COUNT", 10)
    assert written(WHOLE).structure.A.shape == (3, 3)
    monkeypatch.setattr(model, "MAX_COUNT", most)
    with pytest.raises(InvalidProblem, match=f"model.mps:{line}:1: more than {most} rows or entries"):
        written(WHOLE)


def test_integers_are_refused_with_a_remedy(written):
    with pytest.raises(InvalidProblem, match="solve its relaxation by taking"):
        written(WHOLE.replace("FR BND       ZTHREE", "UI BND       ZTHREE   3"))


def test_cut_at_every_byte(written):
    """An error, or the whole program: never half of one."""
    whole = facts(written(WHOLE))
    for length in range(len(WHOLE)):
        try:
            found = facts(written(WHOLE[:length]))
        except InvalidProblem:
            continue
        assert found == whole, length


def test_damaged_files_are_refused_or_read(written):
    rng, read, refusals = random.Random(0), 0, []
    for _ in range(400):
        content = bytearray(WHOLE.encode())
        for _ in range(rng.randint(1, 4)):
            content[rng.randrange(len(content))] = rng.choice(b" \n\t0AZ.-*'e\x00\xff")
        try:
            problem = written(content.decode("latin-1"))
        except InvalidProblem as error:
            refusals.append(str(error))
            continue
        read += 1
        assert np.isfinite(problem.bilinear.linear_x).all()
    assert 0 < read < 200
    assert all(".mps:" in refusal for refusal in refusals)


def random_text(seed: int) -> str:
    """A random file with every kind of row and bound."""
    rng = random.Random(seed)
    rows = {f"R{k}": rng.choice("LGE") for k in range(rng.randint(1, 12))}
    columns = [f"C{k}" for k in range(rng.randint(1, 12))]
    out = ["NAME random", "ROWS", " N OBJ", *(f" {kind} {row}" for row, kind in rows.items()), "COLUMNS"]
    for column in columns:
        entries = {"OBJ": rng.uniform(-5, 5)} | {row: rng.uniform(-9, 9) for row in rows if rng.random() < 0.5}
        out += [f" {column} {row} {value:.6g}" for row, value in entries.items()]
    out += ["RHS", *(f" S {row} {rng.uniform(-9, 9):.6g}" for row in rows if rng.random() < 0.7)]
    out += ["RANGES", *(f" S {row} {rng.uniform(-4, 4):.6g}" for row in rows if rng.random() < 0.4), "BOUNDS"]
    for column in columns:
        kind = rng.choice(["UP", "LO", "FX", "FR", "MI", "PL", ""])
        value = {"UP": rng.uniform(0, 9), "LO": rng.uniform(-9, 3), "FX": rng.uniform(-3, 3)}.get(kind)
        if kind:
            out.append(f" {kind} S {column}" + ("" if value is None else f" {value:.6g}"))
    return "\n".join([*out, "ENDATA", ""])


@pytest.mark.skipif(find_spec("highspy") is None, reason="highspy is not installed")
@pytest.mark.parametrize("seed", range(25))
def test_like_highs(tmp_path, seed):
    import highspy

    path = tmp_path / "model.mps"
    path.write_text(random_text(seed) if seed else WHOLE)
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    assert highs.readModel(str(path)) in (highspy.HighsStatus.kOk, highspy.HighsStatus.kWarning)
    lp, ours = highs.getLp(), load(path).structure
    sign = -1 if ours.maximize else 1
    np.testing.assert_array_equal(sign * ours.c, lp.col_cost_)
    assert sign * ours.constant == lp.offset_
    for here, there in zip(
        (ours.row_lower, ours.row_upper, ours.lower, ours.upper),
        (lp.row_lower_, lp.row_upper_, lp.col_lower_, lp.col_upper_),
        strict=True,
    ):
        np.testing.assert_allclose(here, there, rtol=1e-15)
    dense = np.zeros(ours.A.shape)
    for column in range(dense.shape[1]):
        for k in range(lp.a_matrix_.start_[column], lp.a_matrix_.start_[column + 1]):
            dense[lp.a_matrix_.index_[k], column] = lp.a_matrix_.value_[k]
    np.testing.assert_array_equal(ours.A.toarray(), dense)


def test_either_format_keeps_the_better_message():
    with pytest.raises(Exception, match="no row 'NONE'"):
        read_either(WHOLE.replace("LIM2              1.d0", "NONE              1.d0").encode())


def test_a_problem_file_beside_it(tmp_path):
    (tmp_path / "model.mps").write_text(WHOLE)
    text = "solverkit: 1\nkind: inclusion\nname: beside\nmps: model.mps\nexpect: {objective: 84.0}\n"
    path = tmp_path / "problem.yaml"
    path.write_text(text)
    problem = load(path)
    assert (problem.name, problem.expected["objective"]) == ("beside", 84.0)
    path.write_text(text.replace("kind: inclusion", "kind: nonlinear"))
    with pytest.raises(InvalidProblem, match="holds a problem of kind inclusion"):
        load(path)
    path.write_text(text)
    (tmp_path / "model.mps").write_text(WHOLE[:200])
    with pytest.raises(InvalidProblem, match="model"):
        load(path)
