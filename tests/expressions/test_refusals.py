"""Hostile texts: each is an ExpressionError, soon, and nothing is executed, opened, imported or printed."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from escapes import ESCAPES

from solverkit.expressions import FUNCTIONS, ExpressionError, compile_function, evaluate, parse, split
from solverkit.expressions.program import lower
from solverkit.expressions.syntax import _Reader

# what only the lexer refuses, because for Python it is an ordinary number or name
LEXICAL = {"0x10", "0b11", "0o17", "1_000", "x # comment", "x\x0c", "x \\\n + y", "a" * 65}


def check(tree):
    return lower([tree], {"x": (3,), "y": (3,)}, {"n": 200.0, "A": np.eye(3)})


CHILD = r"""
import json, sys, time, warnings
warnings.simplefilter("error")
import numpy as np
from escapes import ESCAPES
from solverkit.expressions import FUNCTIONS, ExpressionError, compile_function, evaluate
import solverkit.expressions.program

armed, events = False, []
def watch(event, arguments):
    if armed and event != "compile" and not event.startswith("object.__"):
        events.append(event)
sys.addaudithook(watch)

outcomes = []
for text in ESCAPES:
    begin = time.perf_counter()
    armed = True
    try:
        # `program.lower` is the last step before a compiler is loaded
        solverkit.expressions.program.lower(
            [solverkit.expressions.parse(text)], {"x": (3,), "y": (3,)}, {"n": 200.0, "A": np.eye(3)}
        )
        outcome = "accepted"
    except ExpressionError as error:
        outcome = "refused" if 0 <= error.offset <= len(text) and str(error) else f"offset {error.offset}"
    except BaseException as error:
        outcome = type(error).__name__
    armed = False
    outcomes.append((outcome, time.perf_counter() - begin))
print(json.dumps({"outcomes": outcomes, "events": sorted(set(events)), "modules": sorted(sys.modules)}))
"""


@pytest.fixture(scope="module")
def report():
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parents[1])])
    child = subprocess.run(
        [sys.executable, "-c", CHILD],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
    )
    assert child.returncode == 0, child.stderr
    assert child.stderr == ""
    return json.loads(child.stdout)


def test_the_corpus_is_large():
    assert len(set(ESCAPES)) > 200


def test_nothing_was_executed(report):
    assert report["events"] == []
    assert "casadi" not in report["modules"]
    assert "torch" not in report["modules"]


@pytest.mark.parametrize("number", range(len(ESCAPES)), ids=lambda number: repr(ESCAPES[number][:24]))
def test_refused_soon(report, number):
    outcome, seconds = report["outcomes"][number]
    assert outcome == "refused", ESCAPES[number][:100]
    assert seconds < 2


@pytest.mark.parametrize("text", ESCAPES, ids=lambda text: repr(text[:24]))
def test_each_layer_refuses(text):
    """In this process; and without the lexer, Python's tree meets the whitelist of the second layer."""
    with pytest.raises(ExpressionError):
        check(parse(text))
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return
    if text.isascii() and len(text) < 1000 and "_" not in text.strip("_") and text not in LEXICAL:
        with pytest.raises((ExpressionError, RecursionError)):
            check(_Reader(0).read(tree, top=True))


@pytest.mark.parametrize("value", [None, 3, 3.5, True, b"x", ["x"], {"x": 1}])
def test_what_is_not_text_is_refused(value):
    with pytest.raises(ExpressionError, match="an expression is text"):
        parse(value)


TOKENS = ["x", "y", "A", "n", "1", "-1", "1e308", "3.5", *"()[],:+-*/@ ", "**", "<=", "==", "<"]
TOKENS += [f"{name}(" for name in FUNCTIONS]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(TOKENS), max_size=14).map("".join))
def test_random_symbols_are_an_expression_or_an_expression_error(text):
    try:
        tree = parse(text)
        check(tree)
    except ExpressionError as error:
        place = error.offset
    else:
        place = tree.offset
    assert 0 <= place <= len(text)


def test_other_entrances_refuse_too():
    with pytest.raises(ExpressionError):
        evaluate("__import__('os')")
    with pytest.raises(ExpressionError):
        split("x.T <= 1", {"x"})
    with pytest.raises(ExpressionError):
        compile_function("eval(x)", {"x": ()})


@pytest.mark.parametrize("text", [text for text in ESCAPES if not text.isprintable()])
def test_messages_carry_no_control_characters(text):
    with pytest.raises(ExpressionError) as caught:
        compile_function(text, {"x": (3,)})
    assert str(caught.value).isprintable()
