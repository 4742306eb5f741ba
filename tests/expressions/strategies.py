"""Random smooth expressions over a fixed set of variables and constants, safe in their domain and mild in size."""

import numpy as np
import scipy.sparse as sparse
from hypothesis import strategies as st

VARIABLES = {"x": (3,), "s": (), "M": (2, 3), "y": (3,)}
_rng = np.random.default_rng(7)
CONSTANTS = {
    "c": _rng.normal(size=3),
    "A": _rng.normal(size=(3, 3)),
    "B": _rng.normal(size=(2, 3)),
    "S": sparse.csr_array(np.array([[0.0, 1.5, 0.0], [0.0, 0.0, -0.5], [2.0, 0.0, 0.3]])),
    "k": 1.7,
    "labels": np.array([2, 0]),
    "edges": np.array([[0, 1], [2, 0], [1, 2], [1, 1]]),
    "weights": np.array([0.5, 2.0, 0.0, 3.0]),
}
INPUTS = sum(int(np.prod(shape)) for shape in VARIABLES.values())

LEAVES = {
    (): ["s", "k", "x[1]", "M[1, -1]", "0.7"],
    (3,): ["x", "y", "c", "M[0]", "A[:, 1]", "arange(3)"],
    (2, 3): ["M", "B"],
}
UNARY = [
    "sin({0})",
    "cos({0})",
    "tanh({0})",
    "atan({0})",
    "sigmoid({0})",
    "logistic({0})",
    "exp(sin({0}))",
    "log(2.5 + cos({0}))",
    "log1p(square(sin({0})))",
    "expm1(sin({0}))",
    "sqrt(2 + sin({0}))",
    "asin(0.6*sin({0}))",
    "acos(0.6*cos({0}))",
    "tan(0.5*sin({0}))",
    "sinh(sin({0}))",
    "cosh(sin({0}))",
    "(2 + sin({0}))**1.5",
    "tanh({0})**3",
    "1.3**sin({0})",
    "-{0}",
    "({0})**2",
]
BINARY = ["({0}) + {1}", "({0}) - ({1})", "({0})*({1})", "({0})/(2 + cos({1}))", "(2 + sin({0}))**cos({1})"]
TO_SCALAR = {
    (3,): [
        "sum({0})",
        "mean({0})",
        "normsq({0})",
        "logsumexp({0})",
        "entropy(1.5 + sin({0}))",
        "norm(2 + sin({0}))",
        "({0})[2]",
        "({0}) @ c",
        "dot({0}, S @ x)",
    ],
    (2, 3): [
        "sum({0})",
        "mean({0})",
        "logsumexp({0})",
        "cross_entropy({0}, labels)",
        "trace(({0}) @ T(B))",
        "({0})[0, 1]",
    ],
}
TO_VECTOR = {
    (3,): [
        "A @ ({0})",
        "S @ ({0})",
        "({0}) @ S",
        "({0}) @ A",
        "softmax({0})",
        "concat(({0})[0], difference({0}))",
        "({0})[0:3]",
    ],
    (2, 3): [
        "sum({0}, 0)",
        "sum(T({0}), 1)",
        "mean(T({0}), 1)",
        "mean({0}, 0)",
        "T({0}) @ M[:, 0]",
        "({0})[1, :]",
        "diag(T({0}) @ M)",
    ],
}
TO_MATRIX = {
    (3,): ["reshape(concat({0}, x), 2, 3)", "B @ diag({0})", "M + {0}", "M*({0})"],
    (2, 3): ["({0}) @ A", "({0}) @ S", "reshape(T({0}), 2, 3)", "T(T({0}))", "softmax({0})", "({0})[0:2, :]"],
}


@st.composite
def expressions(draw, shape=None, depth=3):
    """The text of an expression of the given shape, or of a random one."""
    if shape is None:
        shape = draw(st.sampled_from(list(LEAVES)))
    if depth == 0:
        return draw(st.sampled_from(LEAVES[shape]))
    kind = draw(st.sampled_from(["leaf", "unary", "binary", "change", "change"]))
    if kind == "leaf":
        return draw(st.sampled_from(LEAVES[shape]))
    if kind == "unary":
        return draw(st.sampled_from(UNARY)).format(draw(expressions(shape, depth - 1)))
    if kind == "binary":
        other = draw(st.sampled_from([shape, ()]))
        return draw(st.sampled_from(BINARY)).format(
            draw(expressions(shape, depth - 1)), draw(expressions(other, depth - 1))
        )
    table = {(): TO_SCALAR, (3,): TO_VECTOR, (2, 3): TO_MATRIX}[shape]
    source = draw(st.sampled_from(list(table)))
    return draw(st.sampled_from(table[source])).format(draw(expressions(source, depth - 1)))
