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


parameter = click.option(
    "--parameter",
    "parameters",
    metavar="NAME=VALUE",
    multiple=True,
    help="A number in place of the file's parameter; repeatable.",
)


json_flag = click.option("--json", "json_", is_flag=True, help="Print JSON.")


def existing(file: str) -> str:
    """The path of a problem file. Raises UsageError where there is none."""
    if not os.path.isfile(file):
        what = "is a folder" if os.path.isdir(file) else "does not exist"
        raise UsageError(f"{clean(file)} {what}; give the path of a problem file, such as problem.yaml")
    return file


def problem_file(file: str, allow_python: bool, parameters: Sequence[str] = ()) -> Problem:
    """The problem in a file. Raises UsageError where there is no such file, InvalidProblem where it is wrong."""
    existing(file)
    from solverkit.formats import load

    return load(file, parameters=settings(parameters, "--parameter"), allow_python=allow_python)


def problem_or_path(file: str, allow_python: bool, parameters: Sequence[str]) -> Problem | str:
    """The path where the file stands as it is, so that a run remembers it; else the problem with its new parameters."""
    return problem_file(file, allow_python, parameters) if parameters else existing(file)


def stored(folder: str) -> str:
    """The path of a folder that a run wrote. Raises UsageError where there is none."""
    if not os.path.isdir(folder):
        raise UsageError(f"{clean(folder)} is not a folder; give the one that --out of a run named")
    return folder


def settings(texts: Sequence[str], option: str = "--set") -> dict[str, Any]:
    """`name=value` texts as a dict; values follow the scalar rules of YAML, as in problem files."""
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise UsageError(f"{option} {clean(text, 80)}: write {option} name=value")
        if name in found:
            raise UsageError(f"{option} {clean(name, 64)} is given twice")
        found[name] = _scalar(option, name, value.strip())
    return found


def _scalar(option: str, name: str, text: str) -> Any:
    from solverkit.formats.yaml import parse

    try:
        content = parse(f"value: {text}\n".encode(), option).value
    except InvalidProblem as error:
        message = f"{option} {clean(name, 64)}={clean(text, 80)}: {error.defects[0].message}"
        raise UsageError(message) from None
    if set(content) != {"value"}:
        raise UsageError(f"{option} {clean(name, 64)}: one value is wanted, on one line")
    return content["value"]
