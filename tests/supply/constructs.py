"""What code that reads foreign files must not contain, found in the syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

NAMES = {"eval", "exec", "compile", "__import__", "input"}
CALLS = {
    "pickle.load", "pickle.loads", "pickle.Unpickler", "cloudpickle.load", "cloudpickle.loads", "marshal.load",
    "marshal.loads", "joblib.load", "torch.load", "shelve.open", "os.system", "os.popen", "tempfile.mktemp",
    "yaml.load", "yaml.unsafe_load", "yaml.full_load", "scipy.io.mmread", "sklearn.datasets.load_svmlight_file",
}  # fmt: skip
TYPES = {"callable", "isinstance", "issubclass"}


def found(file: Path) -> Iterator[tuple[str, int]]:
    """(construct, line) of each one in a file."""
    tree = ast.parse(file.read_text())
    names = dict(_imported(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and not _narrows(node.test):
            yield "assert that checks more than a type", node.lineno
        if not isinstance(node, ast.Call):
            continue
        called = _called(node.func, names)
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        if called in NAMES or called in CALLS:
            yield called, node.lineno
        if called in ("numpy.load", "np.load") and not _is(keywords.get("allow_pickle"), False):
            yield "numpy.load that allows pickles", node.lineno
        if _is(keywords.get("shell"), True):
            yield "shell=True", node.lineno


def _narrows(test: ast.expr) -> bool:
    """Whether it tells a type checker what the code around knows: `python -O` drops it."""
    if isinstance(test, ast.BoolOp):
        return all(map(_narrows, test.values))
    if isinstance(test, ast.Compare):
        return isinstance(test.ops[0], ast.Is | ast.IsNot) and _is(test.comparators[-1], None)
    return isinstance(test, ast.Call) and isinstance(test.func, ast.Name) and test.func.id in TYPES


def _imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.asname or alias.name, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)


def _called(node: ast.expr, names: dict[str, str]) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([names.get(node.id, node.id), *reversed(parts)])


def _is(node: ast.expr | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value
