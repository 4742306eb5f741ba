"""What a kind adds to an answer besides its certificate: sentences and files. A fault in it never costs the answer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from solverkit.engine.files import replace_file
from solverkit.kinds.base import Point, Problem
from solverkit.text import clean

PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
"""Names of files: no folders, nothing hidden."""


def remarks(kind: Any, problem: Problem, point: Point) -> list[str]:
    """Sentences about an answer; one that says what went wrong where something did."""
    try:
        return [clean(remark) for remark in kind.remarks(problem, point)]
    except Exception as error:  # a kind may be foreign code, and points of stopped runs may be odd
        return [clean(f"nothing could be said of the answer besides: {type(error).__name__}: {error}")]


def save_files(kind: Any, problem: Problem, point: Point, folder: Path) -> str:
    """Write what the kind has to say in files, each whole or not at all; why that failed, or nothing."""
    try:
        for name, text in kind.files(problem, point).items():
            if not PLAIN.fullmatch(name):
                raise ValueError(f"{name!r} is no plain file name")
            replace_file(folder / name, text.encode())
    except Exception as error:
        return clean(f"a file besides the result could not be made: {type(error).__name__}: {error}")
    return ""
