"""All mutants of one file: one change to its syntax tree each."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

COMPARED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
COMBINED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.MatMult: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change."""

    line: int
    column: int
    what: str  # such as `< to <=`
    source: str  # of the whole file

    @property
    def name(self) -> str:
        """Where it is and what, within its file."""
        return f"{self.line}:{self.column} {self.what}"


def mutants(source: str) -> list[Mutant]:
    """In the order of the file."""
    tree = ast.parse(source)
    skipped = {id(node) for node in _unread(tree)}
    found = []
    for index, node in enumerate(ast.walk(tree)):
        if id(node) in skipped:
            continue
        for what, change in _changes(node):
            other = copy.deepcopy(tree)
            twin = next(each for place, each in enumerate(ast.walk(other)) if place == index)
            changed = change(twin)
            _replace(other, twin, changed)
            text = ast.unparse(ast.fix_missing_locations(other))
            found.append(Mutant(node.lineno, node.col_offset, what, text))  # type: ignore[attr-defined]
    return sorted(found, key=lambda mutant: (mutant.line, mutant.column, mutant.what))


def _unread(tree: ast.AST) -> Iterator[ast.AST]:
    """Annotations, docstrings, imports, and what only type checkers see."""
    for node in ast.walk(tree):
        parts: list[ast.AST | None] = []
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            parts.append(node.returns)
        elif isinstance(node, (ast.arg, ast.AnnAssign)):
            parts.append(node.annotation)
        elif isinstance(node, (ast.Import, ast.ImportFrom)) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        ):
            parts.append(node)
        for part in parts:
            if part is not None:
                yield from ast.walk(part)


def _changes(node: ast.AST) -> Iterator[tuple[str, object]]:
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            other = COMPARED[type(operator)]
            yield f"{type(operator).__name__} to {other.__name__}", _operator(place, other)
    elif isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in COMBINED:
        other = COMBINED[type(node.op)]
        yield f"{type(node.op).__name__} to {other.__name__}", _attribute("op", other())
    elif isinstance(node, ast.BoolOp):
        other = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield f"{type(node.op).__name__} to {other.__name__}", _attribute("op", other())
    elif isinstance(node, ast.UnaryOp):
        yield f"{type(node.op).__name__} dropped", lambda twin: twin.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield f"{node.value} to {not node.value}", _attribute("value", not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        other = node.value + 1 if isinstance(node.value, int) else (10 * node.value or 1.0)
        yield f"{node.value} to {other}", _attribute("value", other)
    elif isinstance(node, (ast.If, ast.IfExp, ast.While)):
        yield "condition to its opposite", _attribute("test", ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
        yield "return None", _attribute("value", ast.Constant(None))
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield "call dropped", lambda twin: ast.Pass(lineno=twin.lineno, col_offset=twin.col_offset)
    elif isinstance(node, (ast.Break, ast.Continue)):
        yield f"{type(node).__name__} dropped", lambda twin: ast.Pass(lineno=twin.lineno, col_offset=twin.col_offset)


def _attribute(name: str, value: object) -> object:
    def change(twin: ast.AST) -> ast.AST:
        setattr(twin, name, value)
        return twin

    return change


def _operator(place: int, other: type[ast.cmpop]) -> object:
    def change(twin: ast.Compare) -> ast.AST:
        twin.ops[place] = other()
        return twin

    return change


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    if old is new:
        return
    for node in ast.walk(tree):
        for name, value in ast.iter_fields(node):
            if value is old:
                setattr(node, name, new)
            elif isinstance(value, list):
                value[:] = [new if item is old else item for item in value]
