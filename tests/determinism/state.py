"""State of a module that its functions write, found in the syntax tree: what threads would share.

A table that nobody writes is no state. Counted are `global`, functions whose results are kept, and inside functions a
store or a changing call on a name that the module itself defines or imports.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

CHANGING = {
    "add", "append", "appendleft", "clear", "difference_update", "discard", "extend", "insert", "intersection_update",
    "move_to_end", "pop", "popitem", "popleft", "remove", "reverse", "setdefault", "sort",
    "symmetric_difference_update", "update",
}  # fmt: skip
CACHES = {"cache", "lru_cache"}


def written(file: Path) -> set[str]:
    """Names of a module's state that its functions write, and of functions whose results it keeps."""
    tree = ast.parse(file.read_text())
    modules = {alias.asname or alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    return set(_visit(tree, frozenset(_bound(tree.body)), modules, inside=False))


def _visit(node: ast.AST, shared: frozenset[str], modules: set[str], inside: bool) -> Iterator[str]:
    """`shared`: names that mean the module's own here, as no function around binds them anew."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        if not isinstance(node, ast.Lambda) and any(_last(each) in CACHES for each in node.decorator_list):
            yield node.name
        shared, inside = shared - set(_locals(node)), True
    elif isinstance(node, ast.Global):
        yield from node.names
    elif inside:
        yield from {_changed(node, modules)} & shared
    for child in ast.iter_child_nodes(node):
        yield from _visit(child, shared, modules, inside)


def _changed(node: ast.AST, modules: set[str]) -> str:
    """The name whose contents this node changes; `np.append(...)` is a function of a module and changes nothing."""
    if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
        return _root(node.value)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING:
        of_module = isinstance(node.func.value, ast.Name) and node.func.value.id in modules
        return "" if of_module else _root(node.func.value)
    return ""


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _last(node: ast.AST) -> str:
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _locals(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Iterator[str]:
    yield from (node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg))
    if not isinstance(function, ast.Lambda):
        yield from _bound(function.body)


def _bound(body: list[ast.stmt]) -> Iterator[str]:
    """Names that these statements bind in their own scope."""
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif not isinstance(node, ast.Lambda):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            pending.extend(ast.iter_child_nodes(node))
