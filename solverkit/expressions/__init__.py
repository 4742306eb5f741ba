"""The safe expression language of problem files, and its compilers to CasADi and torch.

tree = parse("0.5*sum((A @ x - b)**2)")
r = compile_function(tree, {"x": (n,)}, {"A": A, "b": b})
r.value(z), r.gradient(z), r.hvp(z, [1.0], d)
"""

from solverkit.expressions.compile import compile_function
from solverkit.expressions.constraints import Constraint, split
from solverkit.expressions.degree import degree, is_smooth
from solverkit.expressions.errors import ExpressionError
from solverkit.expressions.evaluate import evaluate
from solverkit.expressions.function import Function
from solverkit.expressions.functions import FUNCTIONS
from solverkit.expressions.syntax import parse
from solverkit.expressions.tree import Tree, names

__all__ = [
    "FUNCTIONS",
    "Constraint",
    "ExpressionError",
    "Function",
    "Tree",
    "compile_function",
    "degree",
    "evaluate",
    "is_smooth",
    "names",
    "parse",
    "split",
]
