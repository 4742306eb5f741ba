"""Small .nl files written by hand, for the tests of the reader."""

from __future__ import annotations

from pathlib import Path

from solverkit.formats.nl.model import read_model
from solverkit.formats.nl.problem import NlProblem, problem_of

PROBLEMS = Path(__file__).parents[2] / "problems" / "nonlinear"
MODELS = sorted(PROBLEMS.glob("pyomo-*/model.nl"))

WHOLE = """g3 1 1 0	# problem mixed
 4 3 1 1 1 	# vars, constraints, objectives, ranges, eqns
 2 1 0 0 0 0	# nonlinear constrs, objs; ccons: lin, nonlin, nd, nzlb
 0 0	# network constraints: nonlinear, linear
 3 4 3 	# nonlinear vars in constraints, objectives, both
 0 0 0 1	# linear network variables; functions; arith, flags
 0 0 0 0 0 	# discrete variables: binary, integer, nonlinear (b,c,o)
 7 4 	# nonzeros in Jacobian, obj. gradient
 0 0	# max name lengths: constraints, variables
 1 0 0 0 0	# common exprs: b,c,o,c1,o1
S4 1 priority
0 3
V4 1 0
2 0.5
o0	#+
o2	#*
v0
v1
o44	#exp
v2
C0
v4
C1
o0
o5
v2
n2.5
o35	#if
o23	#<=
n1
v0
v0
o2
n2
o5
v0
n2
C2
n0
O0 1
o54
3
o5
v4
n2
o41
v3
o16
v1
d2
0 1.5
2 -0.25
x3
0 2.0
2 0.5
3 1e0
r
1 4
4 2
0 1 3.5
b
0 0 5
2 0
1 5
3
k3
3
5
7
J0 3
0 0
1 0
2 1
J1 2
0 0
2 0
J2 2
0 1
1 1
G0 4
0 3
1 0
2 0
3 0
"""
"""All segments: a defined variable with a linear term, a range, an equation, a maximized objective, duals, a suffix."""


def problem(text: str, **more: tuple[str, ...]) -> NlProblem:
    """The problem in a text."""
    return problem_of(read_model(text.encode()), "test", **more)


def unconstrained(expression: str, variables: int = 2) -> str:
    """A file that minimizes one expression, given in prefix order with spaces in place of line ends."""
    lines = "\n".join(expression.split())
    bounds = "\n".join(["3"] * variables)
    zeros = "\n".join(f"{k} 0" for k in range(variables))
    counts = "\n".join(["0"] * (variables - 1))
    tail = f"b\n{bounds}\nk{variables - 1}\n{counts}\n".replace("\n\n", "\n") + f"G0 {variables}\n{zeros}\n"
    return (
        f"g3 1 1 0\n {variables} 0 1 0 0\n 0 1\n 0 0\n 0 {variables} 0\n 0 0 0 1\n 0 0 0 0 0\n 0 {variables}\n 0 0\n"
        f" 0 0 0 0 0\nO0 0\n{lines}\n{tail}"
    )
