"""Fuzzing guided by coverage, with atheris (`pip install -r requirements/fuzz.txt`, Linux and macOS).

    python -m tests.fuzz.guided expressions -max_total_time=60
    python -m tests.fuzz.guided yaml -max_total_time=60 build/fuzz/corpus

Options after the target are libFuzzer's. What is not a refusal ends it with the input that did it.
"""

from __future__ import annotations

import sys

import atheris

from solverkit.errors import SolverKitError

with atheris.instrument_imports(
    include=["solverkit.expressions.symbols", "solverkit.expressions.syntax", "solverkit.formats.yaml", "ruamel"]
):
    from solverkit.expressions import syntax
    from solverkit.formats import yaml


def expressions(data: bytes) -> None:
    """The parser of expressions."""
    text = atheris.FuzzedDataProvider(data).ConsumeUnicodeNoSurrogates(2000)
    try:
        syntax.parse(text)
    except SolverKitError:
        return


def documents(data: bytes) -> None:
    """The YAML loader, up to the document."""
    try:
        yaml.parse(data, "problem.yaml")
    except SolverKitError:
        return


def main() -> None:
    target = {"expressions": expressions, "yaml": documents}[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
