"""Parsing: what is accepted, the tree it gives, and where errors point."""

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse as sparse

from solverkit.expressions import ExpressionError, compile_function, evaluate, names, parse, split, symbols, syntax
from solverkit.expressions.program import lower
from solverkit.expressions.symbols import MAX_DEPTH
from solverkit.expressions.tree import Call, Chain, Compare, Index, Name, Negative, Number, Power, Slice

X = Name("x")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("x", X),
        ("  x ", X),
        ("x\n  + 1", Chain(X, (("+", Number(1.0)),))),
        ("2", Number(2.0)),
        ("-2", Number(-2.0)),
        ("+x", X),
        ("-x", Negative(X)),
        (".5", Number(0.5)),
        ("1e3", Number(1000.0)),
        ("2*3 - 10/4", Number(3.5)),
        ("2**-1", Number(0.5)),
        ("-2**2", Number(-4.0)),
        ("2**3**2", Number(512.0)),
        ("x - 1 + 2", Chain(X, (("-", Number(1.0)), ("+", Number(2.0))))),
        ("x - (1 + 2)", Chain(X, (("-", Number(3.0)),))),
        ("2*x/3", Chain(Number(2.0), (("*", X), ("/", Number(3.0))))),
        ("A @ x", Chain(Name("A"), (("@", X),))),
        ("x**2", Power(X, Number(2.0))),
        ("sum(x)", Call("sum", (X,))),
        ("x[-1]", Index(X, (Number(-1.0),))),
        ("x[1:, n]", Index(X, (Slice(Number(1.0), None, None), Name("n")))),
        ("0 <= x <= 1", Compare((Number(0.0), X, Number(1.0)), ("<=", "<="))),
        ("where(x > 0, x, 1)", Call("where", (Compare((X, Number(0.0)), (">",)), X, Number(1.0)))),
    ],
)
def test_trees(text, tree):
    assert parse(text) == tree
    assert hash(parse(text)) == hash(tree)


PLACES = [
    ("y3 + x", 0, "unknown name 'y3'"),
    ("x + y3", 4, "unknown name 'y3' (variables here: x, y; data and parameters here: A, n, S)"),
    ("  x +\n  z", 8, "unknown name 'z'"),
    ("x + sqroot(x)", 4, "unknown function 'sqroot'; did you mean 'sqrt'?"),
    ("x + sum", 4, "'sum' is a function; write sum(x)"),
    ("x + y + A", 8, "shapes (3,) and (4, 4) do not match"),
    ("x*2 + concat(1, 2)", 6, "shapes (3,) and (2,) do not match"),
    ("1 + A @ x", 8, "shapes (4, 4) and (3,) do not match in @"),
    ("x + x[n]", 6, "index 9 is out of range for length 3 (0 to 2)"),
    ("x + x[3]", 6, "index 3 is out of range for length 3 (0 to 2)"),
    ("x + x[-4]", 6, "index -4 is out of range for length 3 (0 to 2)"),
    ("x[2**53]", 2, "index 9007199254740992 is out of range"),
    ("x[2**53 + 2]", 2, "an index or size is an integer"),
    ("x[0] + x[1, 2]", 9, "2 indices for (3,)"),
    ("x[y]", 2, "'y' is a variable"),
    ("x[n/2]", 2, "an index or size is an integer"),
    ("dot(x, A)", 0, "dot: needs a vector, not (4, 4)"),
    ("1 + dot(x, concat(1, 2))", 4, "dot: shapes (3,) and (2,) do not match"),
    ("x + T(x)", 4, "T: needs a matrix, not (3,)"),
    ("x + trace(reshape(x, 3, 1))", 4, "trace: needs a square matrix"),
    ("x + reshape(x, 2, 2)", 4, "reshape: (3,) cannot be reshaped to (2, 2)"),
    ("sum(x, 1)", 0, "sum: axis 1 of (3,)"),
    ("x + 9**9**9", 4, "the constant overflows"),
    ("x + exp(1000)", 4, "a constant overflows"),
    ("x + 1/0", 4, "division by zero"),
    ("x/0", 2, "division by zero"),
    ("1 + x/(n - 9)", 7, "division by zero"),
    ("x.T", 1, "write T(A) for A.T"),
    ("x ^ 2", 2, "write ** for powers"),
    ("x = 2", 2, "write == for equality"),
    ("x if y else 2", 2, "'if' has no meaning here; use where(condition, a, b)"),
    ("2x", 1, "an operator is missing before 'x'"),
    ("(x + 1", 0, "'(' is never closed"),
    ("x + 1)", 5, "')' without its opening bracket"),
    ("x +", 3, "the expression ends after '+'"),
    ("x * / y", 4, "this is not an expression"),
    ("1 + (x <= 2)", 5, "a comparison stands alone"),
    ("x <= 2", 0, "a comparison where a value is needed"),
    ("sum(x, axis=0)", 11, "write == for equality"),
    ("exp(x, x)", 0, "exp: 2 arguments; write exp(x)"),
    ("cross_entropy(reshape(x, 1, 3), concat(1, 2))", 0, "1 rows need labels of shape (1,), not (2,)"),
    ("cross_entropy(reshape(x, 1, 3), S)", 32, "this argument is a dense array"),
    ("x + 2 @ x", 8, "@ multiplies matrices and vectors"),
    ("x + 2 @ 2", 4, "@ multiplies matrices and vectors"),
    ("x[::-1]", 2, "the step of a slice is positive"),
    ("x[2:1]", 2, "the slice selects nothing from length 3"),
    ("concat(x, A)", 0, "joins scalars and vectors"),
    ("difference(x[0:1])", 0, "at least 2 elements"),
    ("cross_entropy(reshape(x, 1, 3), concat(3, 0)[0:1])", 0, "labels are integers from 0 to 2"),
    ("cross_entropy(reshape(x, 1, 3), concat(-1, 0)[0:1])", 0, "labels are integers from 0 to 2"),
    ("cross_entropy(reshape(x, 1, 3), concat(0.5, 0)[0:1])", 0, "labels are integers from 0 to 2"),
    ("sum(A, 2) + x", 0, "sum: axis 2 of (4, 4); 0 sums down the columns of a matrix, 1 along its rows"),
    ("mean(A, -1) + x", 0, "mean: axis -1 of (4, 4)"),
    ("reshape(x, 0, 3)", 0, "(3,) cannot be reshaped to (0, 3)"),
    ("reshape(x, -1, -3)", 0, "(3,) cannot be reshaped to (-1, -3)"),
    ("x[1:1]", 2, "the slice selects nothing from length 3"),
    ("x[::0]", 2, "the step of a slice is positive"),
    ("A @ 2", 4, "@ multiplies matrices and vectors"),
    ("total_variation(x[0])", 0, "at least 2 elements in each direction, not a scalar"),
    ("total_variation(reshape(x, 3, 1))", 0, "at least 2 elements in each direction, not (3, 1)"),
    ("graph_total_variation(x, concat(0, 1))", 0, "edges are rows of two indices, not an array of shape (2,)"),
    ("graph_total_variation(x, A)", 0, "edges are rows of two indices, not an array of shape (4, 4)"),
    ("graph_total_variation(x, reshape(concat(0, 3), 1, 2))", 0, "edges are integers from 0 to 2"),
    ("graph_total_variation(x, reshape(concat(-1, 2), 1, 2))", 0, "edges are integers from 0 to 2"),
    ("graph_total_variation(x, reshape(concat(0, 1.5), 1, 2))", 0, "edges are integers from 0 to 2"),
    ("graph_total_variation(x, reshape(arange(2), 1, 2), arange(2))", 0, "1 edges need weights >= 0 of shape (1,)"),
    ("graph_total_variation(x, reshape(arange(2), 1, 2), concat(-1))", 0, "1 edges need weights >= 0 of shape (1,)"),
    ("graph_total_variation(A, reshape(arange(2), 1, 2))", 0, "needs a vector, not (4, 4)"),
    ("x + " + "9" * 640, 4, "the constant overflows"),
    ("x + " + "9" * 641, 4, "a number of 641 characters; float64 holds 17 digits"),
    ("x + " + "0" * 5000, 4, "a number of 5000 characters; float64 holds 17 digits"),
    ("x[0] + reshape(arange(1e4), 10000, 1) + arange(1e4)", 40, "an array of shape (10000, 10000)"),
    ("sum(arange(2e7)) + sum(arange(19999999))", 23, "constants take too much memory or time"),
    ("cross_entropy(T(reshape(x, 1, 3)), x)", 35, "'x' is a variable"),
    ("cross_entropy(reshape(x, 1, 3), concat(7, 0)[0:1])", 0, "labels are integers from 0 to 2"),
]


@pytest.mark.parametrize(("text", "offset", "message"), PLACES)
def test_errors_have_a_place_and_a_remedy(text, offset, message):
    with pytest.raises(ExpressionError) as caught:
        compile_function(text, {"x": (3,), "y": (3,)}, {"A": np.eye(4), "n": 9, "S": sparse.eye_array(3)})
    assert message in str(caught.value)
    assert caught.value.offset == offset
    assert pickle.loads(pickle.dumps(caught.value)).offset == offset


def test_long_sums_are_one_level():
    assert evaluate(" + ".join(["x"] * 1000), {}, {"x": 1}) == 1000
    assert evaluate("*".join(["x"] * 900), {}, {"x": 1.001}) == pytest.approx(1.001**900)


def test_the_deepest_tree_can_be_pickled_hashed_and_compiled():
    text = "sin(" * (MAX_DEPTH - 1) + "x" + ")" * (MAX_DEPTH - 1)
    tree = parse(text)
    assert pickle.loads(pickle.dumps(tree)) == tree
    assert hash(tree) == hash(parse(text))
    assert len(repr(tree)) > MAX_DEPTH
    assert 0 < evaluate(tree, {}, {"x": 1}) < 1


def test_running_out_of_stack_is_an_expression_error():
    def deep(levels):
        return deep(levels - 1) if levels else parse("sin(" * 50 + "x" + ")" * 50)

    sizes = range(sys.getrecursionlimit())
    outcomes = set()
    for levels in sizes[:-1:20]:
        try:
            outcomes.add(type(deep(levels)).__name__)
        except ExpressionError as error:
            outcomes.add(error.message.partition(";")[0])
        except RecursionError:
            break  # not even `parse` could be called
    assert outcomes == {"Call", "too deeply nested"}


@pytest.mark.parametrize(
    ("accepted", "refused", "offset", "message"),
    [
        ("x" + " " * 49_999, "x" + " " * 50_000, 50_000, "the expression has 50001 characters, more than 50000"),
        ("+".join("x" * 1000), "+".join("x" * 1001), 0, "more than 1000 terms"),
        ("*".join("x" * 1000), "*".join("x" * 1001), 0, "more than 1000 terms"),
        ("(" * 60 + "x" + ")" * 60, "(" * 61 + "x" + ")" * 61, 60, "brackets nested deeper than 60"),
        ("-" * 60 + "x", "-" * 61 + "x", 60, "too many signs in a row"),
        ("x" + "**x" * 60, "x" + "**x" * 61, 180, "nested deeper than 60"),
        ("x[" + "n**" * 58 + "n]", "x[" + "n**" * 59 + "n]", 176, "nested deeper than 60"),
        ("x[n:" + "n**" * 58 + "n]", "x[n:" + "n**" * 59 + "n]", 178, "nested deeper than 60"),
        ("x" + "[0]" * 59, "x" + "[0]" * 60, 2, "nested deeper than 60"),
        ("-sin(" * 30 + "x" + ")" * 30, "-sin(" * 30 + "-x" + ")" * 30, 151, "nested deeper than 60"),
        ("x*-(" * 30 + "x" + ")" * 30, "x*-(" * 30 + "-x" + ")" * 30, 121, "nested deeper than 60"),
        ("-(" * 30 + "x" + ")*x" * 30, "-(" * 30 + "-x" + ")*x" * 30, 61, "nested deeper than 60"),
        ("x <= " + "-" * 59 + "x", "x <= " + "-" * 60 + "x", 65, "nested deeper than 60"),
        ("+(" * 60 + "x" + ")" * 60, "+(" * 60 + "-x" + ")" * 60, 121, "nested deeper than 60"),
        ("a" * 64, "a" * 65, 0, f"'{'a' * 20}' is not a name"),
        ("a" + "__b", "__b", 0, "'__b' is not a name"),
        ("x + 1", "x 1", 2, "an operator is missing before '1'"),
        ("x", "x " + "y" * 30, 2, f"an operator is missing before '{'y' * 20}'"),
        ("  x*(y)", "  x * / y", 6, "this is not an expression"),
        ("x[1, 2]", "x[1, 2, 3]", 0, "one or two indices"),
        ("x <= y <= 1", "x <= y <= 1 <= 2", 0, "at most lower <= expression <= upper"),
    ],
)
def test_the_largest_text_is_an_expression_and_the_next_is_not(accepted, refused, offset, message):
    parse(accepted)
    with pytest.raises(ExpressionError) as caught:
        parse(refused)
    assert caught.value.message.startswith(message)
    assert caught.value.offset == offset


def test_as_many_symbols_as_an_expression_may_have(monkeypatch):
    monkeypatch.setattr(symbols, "MAX_SYMBOLS", 5)
    parse("x + y + z")
    monkeypatch.setattr(symbols, "MAX_SYMBOLS", 4)
    with pytest.raises(ExpressionError, match="more than 4 symbols") as caught:
        parse("x + y + z")
    assert caught.value.offset == 8


@pytest.mark.parametrize(("count", "end"), [(12, "a11; data"), (13, "a11, ...; data")])
def test_of_many_names_the_first_are_shown(count, end):
    with pytest.raises(ExpressionError, match=end):
        compile_function("q", {f"a{k}": () for k in range(count)}, {"b": 1})
    with pytest.raises(ExpressionError, match=r"no variable in it \(variables here: (a\d+, ){11}a\d+\)$"):
        split("1 <= 2", {f"a{k}" for k in range(count)})


def test_equal_parts_are_one_step():
    text = (
        "sum(sin(x[0:2])*sin(x[0:2])) + sum(sin(x[0:2])*y**2) + graph_total_variation(y, E)*graph_total_variation(y, E)"
    )
    steps = lower([parse(text)], {"x": (3,), "y": (2,)}, {"E": np.array([[0, 1]])}).steps
    found = [step.detail[0].name if step.operation == "call" else step.operation for step in steps]
    assert found.count("sin") == found.count("index") == found.count("square") == 1
    assert found.count("sum") == 2
    assert found.count("variable") == 2
    assert "constant" not in found


def test_names_and_offsets():
    assert names(parse("sum(x[k:]) + A @ y <= n")) == {"x", "k", "A", "y", "n"}
    tree = parse("  x + bc")
    assert tree.rest[0][1].offset == 6


def test_parsing_in_many_threads():
    texts = [text for text, _, _ in PLACES] + ["sum(x**2) + 1"] * 20

    def attempt(text):
        try:
            return parse(text)
        except ExpressionError as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(attempt, texts)) == [attempt(text) for text in texts]


def test_a_parser_that_another_thread_confused_is_asked_again(monkeypatch):
    """Python's own may say "AST constructor recursion depth mismatch" where several threads parse at once."""
    whole = parse("x + 1")
    real, left = syntax.ast.parse, [SystemError("depth mismatch")] * 3

    def confused(*arguments, **options):
        if left:
            raise left.pop()
        return real(*arguments, **options)

    monkeypatch.setattr(syntax.ast, "parse", confused)
    assert parse("x + 1") == whole
    assert left == []


def test_a_parser_that_stays_confused_is_an_error_like_any_other(monkeypatch):
    def confused(*arguments, **options):
        raise SystemError("depth mismatch")

    monkeypatch.setattr(syntax.ast, "parse", confused)
    with pytest.raises(ExpressionError, match="parser fails while other threads use it"):
        parse("x + 1")
