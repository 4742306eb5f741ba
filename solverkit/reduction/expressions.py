"""Simpler expressions in place of one: its operands, its arguments, 0 and 1."""

from __future__ import annotations

import ast
from collections.abc import Iterator

LONGEST = 10_000
LEAST = ("0", "1")


def simpler(text: str) -> Iterator[str]:
    """Expressions with one part replaced by a part of it, the largest steps first; none for what does not parse."""
    if len(text) > LONGEST:
        return
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return
    for node in ast.walk(tree):  # breadth first
        if isinstance(node, ast.expr):
            for part in (*_parts(node), *_constants(node)):
                yield _replaced(tree, node, part)


def _parts(node: ast.expr) -> list[ast.expr]:
    return [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]


def _constants(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.Constant) or not isinstance(node, ast.BinOp | ast.UnaryOp | ast.Call | ast.Subscript):
        return []
    return [ast.parse(text, mode="eval").body for text in LEAST]


def _replaced(tree: ast.Expression, old: ast.expr, new: ast.expr) -> str:
    class Swap(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return new if node is old else self.generic_visit(node)

    # rebuilt from its text, since a transformer changes the tree it walks and `tree` is still needed
    copy, places = ast.parse(ast.unparse(tree), mode="eval"), list(ast.walk(tree))
    old = list(ast.walk(copy))[places.index(old)]  # type: ignore[assignment]
    return ast.unparse(Swap().visit(copy))
