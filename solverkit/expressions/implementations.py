"""What the functions of expressions compute, in NumPy, torch and CasADi, where a library's own function does not do.

Formulas are written so that values and both derivatives stay finite wherever the mathematics is; see `functions`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from solverkit.expressions import shapes as rule


def casadi_ravel(ca: Any, matrix: Any, shape: rule.Shape) -> Any:
    """The elements as one column, rows first."""
    return ca.vec(matrix.T) if len(shape) == 2 else matrix


def casadi_shaped(ca: Any, column: Any, shape: rule.Shape) -> Any:
    """A column of elements, rows first, in the given shape."""
    return ca.reshape(column, shape[1], shape[0]).T if len(shape) == 2 else column


def casadi_sum(ca: Any, shapes: list[rule.Shape], x: Any, axis: int | None = None) -> Any:
    if axis is None:
        return ca.sum1(ca.vec(x))
    if len(shapes[0]) == 1 or axis == 0:
        return ca.sum1(x).T
    return ca.sum2(x)


def sum_length(shape: rule.Shape, axis: int | None) -> int:
    return rule.size(shape) if axis is None else shape[axis]


# -- stable formulas ------------------------------------------------------------------------------------------------


def casadi_branches(ca: Any, x: Any) -> tuple[Any, Any]:
    """The condition x > 0 and exp(-|x|), whose derivatives at 0 are those of the branch x <= 0."""
    positive = x > 0
    return positive, ca.exp(ca.if_else(positive, -x, x))


def casadi_logistic(ca: Any, shapes: list[rule.Shape], x: Any) -> Any:
    positive, small = casadi_branches(ca, x)
    return ca.if_else(positive, x, 0) + ca.log1p(small)


def casadi_sigmoid(ca: Any, shapes: list[rule.Shape], x: Any) -> Any:
    positive, small = casadi_branches(ca, x)
    return ca.if_else(positive, 1, small) / (1 + small)


def sigmoid(x: Any) -> Any:
    small = np.exp(-np.abs(x))
    return np.where(np.asarray(x) > 0, 1.0, small) / (1.0 + small)


def norm(x: Any) -> Any:
    return np.sqrt(np.sum(np.square(x)))


def torch_norm(torch: Any, x: Any) -> Any:
    return torch_root(torch, torch.sum(x * x))


def casadi_norm(ca: Any, shapes: list[rule.Shape], x: Any) -> Any:
    return casadi_root(ca, ca.sumsqr(x))


def row_norms(x: Any) -> Any:
    return np.sqrt(np.sum(np.square(x), axis=1))


def torch_row_norms(torch: Any, x: Any) -> Any:
    return torch_root(torch, torch.sum(x * x, 1))


def torch_root(torch: Any, square: Any) -> Any:
    """The square root of what is >= 0, with derivative 0 at 0."""
    return torch.where(square > 0, torch.sqrt(torch.where(square > 0, square, torch.ones_like(square))), 0 * square)


def casadi_root(ca: Any, square: Any) -> Any:
    return ca.if_else(square > 0, ca.sqrt(ca.if_else(square > 0, square, 1)), 0 * square)


def total_variation(x: Any) -> Any:
    if x.ndim == 1:
        return np.sum(np.abs(np.diff(x)))
    square = np.zeros(x.shape)
    square[:-1] += np.square(np.diff(x, axis=0))
    square[:, :-1] += np.square(np.diff(x, axis=1))
    return np.sum(np.sqrt(square))


def torch_total_variation(torch: Any, x: Any) -> Any:
    if x.ndim == 1:
        return torch.sum(torch.abs(x[1:] - x[:-1]))
    down = torch.nn.functional.pad((x[1:] - x[:-1]) ** 2, (0, 0, 0, 1))
    right = torch.nn.functional.pad((x[:, 1:] - x[:, :-1]) ** 2, (0, 1))
    return torch.sum(torch_root(torch, down + right))


def casadi_total_variation(ca: Any, shapes: list[rule.Shape], x: Any) -> Any:
    if len(shapes[0]) == 1:
        return ca.sum1(ca.fabs(x[1:] - x[:-1]))
    rows, columns = shapes[0]
    down = ca.vertcat((x[1:, :] - x[:-1, :]) ** 2, ca.DM.zeros(1, columns))
    right = ca.horzcat((x[:, 1:] - x[:, :-1]) ** 2, ca.DM.zeros(rows, 1))
    return ca.sum1(ca.vec(casadi_root(ca, down + right)))


def check_edges(shape: rule.Shape, edges: np.ndarray, weights: np.ndarray | None = None) -> rule.Shape:
    length = rule.need_vector(shape)
    if edges.ndim != 2 or edges.shape[1] != 2:
        raise ValueError(f"edges are rows of two indices, not an array of shape {edges.shape}")
    if edges.size and (np.any(edges != np.round(edges)) or edges.min() < 0 or edges.max() >= length):
        raise ValueError(f"edges are integers from 0 to {length - 1}")
    if weights is not None and (weights.shape != (len(edges),) or np.any(weights < 0)):
        raise ValueError(f"{len(edges)} edges need weights >= 0 of shape ({len(edges)},), not {weights.shape}")
    return ()


def ends(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return edges[:, 0].astype(np.int64), edges[:, 1].astype(np.int64)


def torch_graph_variation(torch: Any, x: Any, edges: np.ndarray, weights: np.ndarray | None = None) -> Any:
    first, second = (torch.as_tensor(end, device=x.device) for end in ends(edges))
    apart = torch.abs(x[first] - x[second])
    return torch.sum(apart if weights is None else torch.as_tensor(weights, dtype=x.dtype, device=x.device) * apart)


def casadi_graph_variation(
    ca: Any, shapes: list[rule.Shape], x: Any, edges: np.ndarray, weights: np.ndarray | None = None
) -> Any:
    first, second = (end.tolist() for end in ends(edges))
    apart = ca.fabs(x[first] - x[second])
    return ca.sum1(apart if weights is None else ca.DM(weights) * apart)


def logsumexp(x: Any) -> Any:
    top = np.max(x)
    return top + np.log(np.sum(np.exp(x - top)))


def torch_logsumexp(torch: Any, x: Any) -> Any:
    top = torch.max(x).detach()  # cancels from the derivatives; torch.logsumexp loses 3 digits of them at x = 800
    return top + torch.log(torch.sum(torch.exp(x - top)))


def softmax(x: Any) -> Any:
    small = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return small / np.sum(small, axis=-1, keepdims=True)


def casadi_row_logsumexp(ca: Any, matrix: Any) -> Any:
    """log(sum_j exp(X_ij)) for each row i. The largest entry cancels from the derivatives, also where it is tied."""
    columns = ca.horzsplit(matrix)
    top = columns[0]
    for column in columns[1:]:
        top = ca.fmax(top, column)
    return top + ca.log(sum(ca.exp(column - top) for column in columns))


def casadi_softmax(ca: Any, shapes: list[rule.Shape], x: Any) -> Any:
    if len(shapes[0]) == 1:
        return ca.exp(x - ca.logsumexp(ca.densify(x)))
    return ca.exp(x - ca.repmat(casadi_row_logsumexp(ca, x), 1, shapes[0][1]))


def check_labels(shape: rule.Shape, labels: np.ndarray) -> rule.Shape:
    rows, classes = rule.need_matrix(shape)
    if labels.shape != (rows,):
        raise ValueError(f"{rows} rows need labels of shape ({rows},), not {labels.shape}")
    if np.any(labels != np.round(labels)) or labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"labels are integers from 0 to {classes - 1}")
    return ()


def picked_labels(labels: np.ndarray, classes: int) -> np.ndarray:
    """The 0/1 matrix with a one at each row's label."""
    return np.eye(classes)[labels.astype(np.int64)]


def cross_entropy(x: Any, labels: np.ndarray) -> Any:
    top = np.max(x, axis=1)
    rows = np.arange(len(labels))
    each = top + np.log(np.sum(np.exp(x - top[:, None]), axis=1)) - x[rows, labels.astype(np.int64)]
    return np.mean(each)


def casadi_cross_entropy(ca: Any, shapes: list[rule.Shape], x: Any, labels: np.ndarray) -> Any:
    picked = ca.sum2(ca.DM(picked_labels(labels, shapes[0][1])) * x)
    return ca.sum1(casadi_row_logsumexp(ca, x) - picked) / len(labels)


def torch_cross_entropy(torch: Any, x: Any, labels: np.ndarray) -> Any:
    index = torch.as_tensor(labels.astype(np.int64), device=x.device)
    return torch.nn.functional.cross_entropy(x, index)


def entropy(x: Any) -> Any:
    x = np.asarray(x)
    return np.sum(np.where(x == 0, 0.0, x * np.log(np.where(x == 0, 1.0, x))))


def huber(where: Callable[..., Any], absolute: Callable[[Any], Any], x: Any, delta: Any) -> Any:
    return where(absolute(x) <= delta, 0.5 * x * x, delta * (absolute(x) - 0.5 * delta))
