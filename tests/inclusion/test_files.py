"""Problem files and Python forms: each form against the other, and what is wrong with its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import solverkit as sk
from solverkit.errors import InvalidProblem, UsageError
from solverkit.kinds.inclusion import finite_sum, game, inclusion, linear_program, saddle, sequence_form
from solverkit.kinds.inclusion.generators import kuhn_poker, policeman_burglar, random_poker
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.operators.proximal import L1, NonNegative

DATA = """
  A: [[1, -2], [3, 0.5]]
  c: [1, 2]
  X: [[1, 2], [3, -1], [0, 1]]
  label: [1, -1, 1]
"""
A, X, LABEL = np.array([[1, -2], [3, 0.5]]), np.array([[1.0, 2], [3, -1], [0, 1]]), np.array([1.0, -1, 1])


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Inclusion]:
    """load(form, ...) -> the problem of a file with `DATA`."""

    def make(form: str, **options: Any) -> Inclusion:
        path = tmp_path / "problem.yaml"
        path.write_text(f"solverkit: 1\nkind: inclusion\nname: tiny\nparameters: {{s: 2}}\n{form}\ndata:{DATA}")
        return sk.load(path, **options)

    return make


PAIRS: dict[str, tuple[str, Callable[[], Inclusion]]] = {
    "game": ("game: {payoff: A}", lambda: game(A)),
    "game written out": ("game: {payoff: [[1, -s], [3, 0.5]]}", lambda: game(A)),
    "polytopes": (
        "game: {payoff: A, rows: {matrix: [[1, 1]], rhs: 1}, columns: {matrix: [[1, 2]], rhs: [3]}}",
        lambda: sequence_form(A, [[1, 1]], 1, [[1, 2]], [3]),
    ),
    "linear program": (
        "linear_program: {cost: c, matrix: A, row_lower: [1, -.inf], row_upper: [1, 5], upper: [s, 1e30], constant: 3}",
        lambda: linear_program([1, 2], A, [1, -np.inf], [1, 5], 0, [2, np.inf], 3),
    ),
    "saddle": (
        "saddle: {minimize: {x: {shape: 2, lower: 0}}, maximize: {y: {shape: 2, set: simplex}}, "
        "function: 'sum(x**2) + dot(x, A @ y)'}",
        lambda: saddle(
            {"x": {"shape": 2, "lower": 0}},
            {"y": {"shape": 2, "set": "simplex"}},
            "sum(x**2) + dot(x, A @ y)",
            data={"A": A},
        ),
    ),
    "operator": (
        "operator: {variables: {u: {shape: 2, upper: s}}, value: A @ u + u**3 + 9*u - c, lipschitz: 1e4}",
        lambda: inclusion(
            "A @ u + u**3 + 9*u - c", {"u": {"shape": 2, "upper": 2}}, data={"A": A, "c": [1, 2]}, lipschitz=1e4
        ),
    ),
    "payoffs of samples": (
        "finite_sum: {minimize: {w: {shape: 2}}, maximize: {p: {shape: 3, set: simplex, start: 1/3}}, "
        "samples: {a: X, b: label}, own: [p], function: '3*p*logistic(-b*dot(a, w)) + 0.01*dot(w, w)'}",
        lambda: finite_sum(
            minimize={"w": {"shape": 2}},
            maximize={"p": {"shape": 3, "set": "simplex", "start": 1 / 3}},
            samples={"a": X, "b": LABEL},
            own=["p"],
            function="3*p*logistic(-b*dot(a, w)) + 0.01*dot(w, w)",
        ),
    ),
    "operators of samples": (
        "finite_sum: {variables: {w: {shape: 2}}, samples: {a: X, b: label}, value: 'a*(dot(a, w) - b)'}",
        lambda: finite_sum(variables={"w": {"shape": 2}}, samples={"a": X, "b": LABEL}, value="a*(dot(a, w) - b)"),
    ),
    "columns": (
        "finite_sum: {variables: {u: {shape: 2}}, columns: {matrix: [[1, -s], [2, 1]], constant: c}}",
        lambda: finite_sum(variables={"u": {"shape": 2}}, columns={"matrix": [[1, -2], [2, 1]], "constant": [1, 2]}),
    ),
    "matrices": (
        "finite_sum: {variables: {u: {shape: 1}}, matrices: {matrices: [[1], [3]], offsets: -1}}",
        lambda: finite_sum(variables={"u": {"shape": 1}}, matrices={"matrices": np.array([[1.0], [3]]), "offsets": -1}),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_file_says_what_python_says(name: str, load: Callable[..., Inclusion]) -> None:
    text, make = PAIRS[name]
    one, two = load(text), make()
    assert one.fingerprint() == two.fingerprint()
    assert one.provides == two.provides
    rng = np.random.default_rng(0)
    u = rng.standard_normal(one.size)
    np.testing.assert_allclose(one.operator(u), two.operator(u), atol=1e-14)
    np.testing.assert_array_equal(one.resolvent(u, 0.5), two.resolvent(u, 0.5))
    np.testing.assert_array_equal(one.flat(one.blocks(u)), u)
    if np.isfinite(one.objective(one.blocks(u))):
        assert one.objective(one.blocks(u)) == pytest.approx(two.objective(two.blocks(u)))


def test_fingerprints_differ_where_problems_do() -> None:
    problems = [make() for _, make in PAIRS.values()]
    problems += [game(2 * A), linear_program([1, 2], A, 0, 5), linear_program([1, 2], A, 0, 5, maximize=True)]
    problems += [inclusion("2*u", {"u": {"shape": 2}}), inclusion("2*u", {"u": {"shape": 2, "lower": 0}})]
    prints = [problem.fingerprint() for problem in problems]
    assert len(set(prints)) == len(prints) - 1  # two of the pairs are one game


WRONG = [
    ("game: {payoff: B}", "game.payoff: no data are named 'B'"),
    ("game: {payoff: c}", "game.payoff: needs a matrix"),
    ("game: {payoff: [[1, 2], [3]]}", "all of one length"),
    ("game: {payoff: A, rows: {matrix: [[1, 1]], rhs: 1}}", "`columns` is missing"),
    ("game: {payoff: A, rows: {matrix: [[1]], rhs: 1}, columns: {matrix: [[1, 1]], rhs: 1}}", "game.rows.matrix"),
    ("game: {pay: A}", "game.pay"),
    ("game: {payoff: A}\nsaddle: {minimize: {x: {}}, maximize: {y: {}}, function: x*y}", "exactly one of"),
    ("{}", "exactly one of game, saddle"),
    ("linear_program: {cost: [1, 2, 3], matrix: A}", "linear_program.cost"),
    ("linear_program: {cost: c, matrix: A, row_lower: 2, row_upper: 1}", "row 0 has lower side 2 and upper side 1"),
    ("linear_program: {cost: c, matrix: A, lower: 2, upper: 1}", "variable 0"),
    ("saddle: {minimize: {x: {}}, maximize: {x: {}}, function: x}", "'x' is a variable of both sides"),
    ("saddle: {minimize: {x: {}}, maximize: {y: {}}, function: x*z}", "unknown name 'z'"),
    ("saddle: {minimize: {x: {}}, maximize: {y: {}}, function: x*y - x**2}", "not monotone"),
    ("saddle: {minimize: {x: {shape: 600}}, maximize: {y: {}}, function: y*sum(x) - sum(x**2)}", "not monotone"),
    ("saddle: {minimize: {x: {start: -1}}, maximize: {y: {}}, function: x*y - log(x)}", "not finite at the start"),
    ("operator: {variables: {u: {shape: 2}}, value: sum(u)}", "F has 1 entries, and the variables have 2"),
    ("operator: {variables: {u: {}, w: {}}, value: {u: u}}", "F of the variable 'w' is missing"),
    ("operator: {variables: {u: {}}, value: {u: u, w: u}}", "operator.value.w: no such variable"),
    ("operator: {variables: {u: {}}, value: u - u**2}", "not monotone"),
    ("operator: {variables: {u: {}}, value: 3*u + sin(u), lipschitz: 2}", "operator.lipschitz: F changes by"),
    ("operator: {variables: {u: {}}, value: u, lipschitz: -1}", "positive and finite"),
    ("operator: {variables: {u: {lower: 1, upper: 0}}, value: u}", "leave no room"),
    ('operator: {variables: {u: {}}, value: {python: "model.py:F"}}', "--allow-python"),
    ("finite_sum: {variables: {u: {}}}", "give exactly one of function, value"),
    ("finite_sum: {variables: {u: {}}, value: u}", "`samples:` names"),
    ("finite_sum: {variables: {u: {}}, value: u*a, samples: {a: Z}}", "finite_sum.samples.a: no data of that name"),
    (
        "finite_sum: {variables: {u: {}}, value: u*b, samples: {b: label, a: A}}",
        "has 2 rows, and the other samples have 3",
    ),
    ("finite_sum: {variables: {u: {}}, value: u*c, samples: {c: label}}", "'c' is data already"),
    ("finite_sum: {variables: {u: {}}, value: u + a, samples: {a: X}}", "F_i has 2 entries, and a sample sees 1"),
    ("finite_sum: {variables: {u: {}}, function: u, samples: {a: X}}", "has its variables under minimize and maximize"),
    ("finite_sum: {minimize: {u: {}}, function: u, samples: {a: X}}", "needs variables under `maximize`"),
    (
        "finite_sum: {variables: {u: {shape: 2}}, value: u, samples: {a: X}, own: [u]}",
        "one entry or row for each of 3 samples",
    ),
    ("finite_sum: {variables: {u: {}}, value: u, samples: {a: X}, own: [w]}", "no variable 'w'"),
    ("finite_sum: {variables: {u: {shape: 3}}, columns: {matrix: A}}", "has shape (2, 2); the variables need (3, 3)"),
    ("finite_sum: {variables: {u: {shape: 2}}, columns: {matrix: A, count: 3}}", "at most 2"),
    ("finite_sum: {variables: {u: {shape: 2}}, columns: {matrix: [[1, 0], [0, -1]]}}", "not monotone"),
    ("finite_sum: {variables: {u: {shape: 2}}, matrices: {matrices: X}}", "needs dense data of shape"),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_what_is_wrong_is_named_with_its_place(text: str, words: str, load: Callable[..., Inclusion]) -> None:
    with pytest.raises(InvalidProblem) as raised:
        load("" if text == "{}" else text)
    message = str(raised.value)
    assert words in message
    assert "problem.yaml:" in message.splitlines()[0]


def test_what_is_not_monotone_may_be_said(load: Callable[..., Inclusion]) -> None:
    problem = load("operator: {variables: {u: {start: 1}}, value: u - u**2, monotone: false}")
    assert "monotone" not in problem.provides
    assert "monotone" in load("game: {payoff: A}").provides


def test_python_operators_in_files(tmp_path: Path, load: Callable[..., Inclusion]) -> None:
    (tmp_path / "model.py").write_text(
        "import numpy as np\n"
        "def F(u):\n    return np.array([[1, 2], [-2, 1]]) @ u - 1\n"
        "def parts(u, samples):\n    return (1.0 + samples.mean()) * u - 1\n"
        "def short(u):\n    return u[:1]\n"
    )
    text = 'operator: {{variables: {{u: {{shape: 2}}}}, value: {{python: "model.py:{}"}}}}'
    problem = load(text.format("F"), allow_python=True)
    np.testing.assert_allclose(problem.operator(np.array([0.6, 0.2])), [0.0, -2.0], atol=1e-15)
    text = 'finite_sum: {{variables: {{u: {{shape: 2}}}}, python: "model.py:{}", count: 5}}'
    problem = load(text.format("parts"), allow_python=True)
    np.testing.assert_allclose(problem.operator(np.ones(2)), [2.0, 2.0])
    assert problem.count == 5
    for name, words in (("short", "returned 1 numbers; the variables have 2"), ("none", "has no 'none'")):
        with pytest.raises(InvalidProblem, match=words):
            load(
                f'operator: {{variables: {{u: {{shape: 2}}}}, value: {{python: "model.py:{name}"}}}}', allow_python=True
            )


def test_sets_of_ones_own() -> None:
    problem = inclusion("u - 3", {"u": {"shape": 2}}, sets={"u": L1(1.0)})
    np.testing.assert_allclose(problem.resolvent(np.array([3.0, 0.5]), 1.0), [2.0, 0.0])
    with pytest.raises(UsageError, match="no variable 'v'"):
        inclusion("u", {"u": {}}, sets={"v": NonNegative()})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: game(np.zeros(3)), "a matrix"),
        (lambda: game([[np.nan]]), "NaN"),
        (lambda: linear_program([1, 2], [[1.0]], 0, 1), "c has shape"),
        (lambda: sequence_form([[1.0]], [[1.0, 1.0]], 1, [[1.0]], 1), "E has 2 columns"),
        (lambda: inclusion(lambda z, q: z, {"u": {}}), "takes neither the variables"),
        (lambda: inclusion(lambda u: None, {"u": {"shape": 2}}), "cannot be used"),
        (lambda: inclusion("u + v", {"u": {}}), "unknown name 'v'"),
        (lambda: finite_sum(variables={"u": {}}, python=lambda u, samples: u), "`count:`"),
        (lambda: saddle({"x": {}}, {"y": {}}, "x*y", data={"sin": [1.0]}), "function of the expression language"),
    ],
)
def test_python_forms_refuse_with_words(make: Callable[[], Inclusion], words: str) -> None:
    with pytest.raises((UsageError, InvalidProblem)) as raised:
        make()
    assert words in str(raised.value)


def test_poker_is_a_game_of_plans() -> None:
    for deal in (kuhn_poker(), random_poker(cards=4, bets=2, seed=3)):
        E, F, A = deal["E"].toarray(), deal["F"].toarray(), deal["A"].toarray()
        assert A.shape == (E.shape[1], F.shape[1])
        for matrix in (E, F):
            assert np.linalg.matrix_rank(matrix) == len(matrix)
            assert set(np.unique(matrix)) <= {-1.0, 0.0, 1.0}
    first = np.zeros(13)
    first[0] = 1
    for card in range(3):  # always check, then fold, against one who always checks: the higher card wins 1
        first[1 + 4 * card] = first[3 + 4 * card] = 1
    assert first @ kuhn_poker()["A"] @ first == pytest.approx(0)
    passive, folding = first.copy(), first.copy()
    folding[:] = 0
    folding[0] = 1
    for card in range(3):  # always bets, so that who folds loses the ante
        folding[2 + 4 * card] = 1
    assert passive @ kuhn_poker()["A"] @ folding == pytest.approx(1)


def test_the_published_matrix() -> None:
    A = policeman_burglar(500, weights="rows")
    assert np.linalg.norm(A, 2) == pytest.approx(492.33, abs=0.01)
    assert np.linalg.norm(A) == pytest.approx(493.07, abs=0.01)
    np.testing.assert_array_equal(policeman_burglar(500).T, A)
