"""Arguments that several commands share."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from solverkit.errors import InvalidProblem, UsageError
from solverkit.text import clean

if TYPE_CHECKING:
    from solverkit.kinds.base import Problem

allow_python = click.option(
    "--allow-python", is_flag=True, help="Run Python code that the problem file names. It runs with your rights."
)


json_flag = click.option("--json", "json_", is_flag=True, help="Print JSON.")


def existing(file: str) -> str:
    """The path of a problem file. Raises UsageError where there is none."""
    if not os.path.isfile(file):
        what = "is a folder" if os.path.isdir(file) else "does not exist"
        raise UsageError(f"{clean(file)} {what}; give the path of a problem file, such as problem.yaml")
    return file


def problem_file(file: str, allow_python: bool) -> Problem:
    """The problem in a file. Raises UsageError where there is no such file, InvalidProblem where it is wrong."""
    existing(file)
    from solverkit.formats import load

    return load(file, allow_python=allow_python)


def stored(folder: str) -> str:
    """The path of a folder that a run wrote. Raises UsageError where there is none."""
    if not os.path.isdir(folder):
        raise UsageError(f"{clean(folder)} is not a folder; give the one that --out of a run named")
    return folder


def settings(texts: Sequence[str]) -> dict[str, Any]:
    """`name=value` texts as a dict; values follow the scalar rules of YAML, as in problem files."""
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise UsageError(f"--set {clean(text, 80)}: write --set name=value")
        if name in found:
            raise UsageError(f"--set {clean(name, 64)} is given twice")
        found[name] = _scalar(name, value.strip())
    return found


def _scalar(name: str, text: str) -> Any:
    from solverkit.formats.yaml import parse

    try:
        content = parse(f"value: {text}\n".encode(), "--set").value
    except InvalidProblem as error:
        message = f"--set {clean(name, 64)}={clean(text, 80)}: {error.defects[0].message}"
        raise UsageError(message) from None
    if set(content) != {"value"}:
        raise UsageError(f"--set {clean(name, 64)}: one value is wanted, on one line")
    return content["value"]
