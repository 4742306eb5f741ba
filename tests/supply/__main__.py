"""`python -m tests.supply`: write requirements/constraints.txt and the page of licences from what is installed."""

from __future__ import annotations

import sys

from tests.supply.packages import ROOT, WEAK, Package, packages

CONSTRAINTS = ROOT / "requirements" / "constraints.txt"
PAGE = ROOT / "docs" / "reference" / "licences.md"
HEAD = """\
# Everything that the project's own files install, as it was tested; written by `python -m tests.supply`.
# A plain `torch` draws several GB of CUDA packages; this exact version comes as the CPU build where one is at hand.
"""
INTRODUCTION = """\
# Licences of what is installed

SolverKit is under BSD-3-Clause. `python -m tests.supply` writes this page from the metadata of the packages that
`requirements/*.txt` install; a test holds it against what is installed. None is under the GPL or AGPL. Packages under
weaker copyleft are used and never copied: {weak}. CasADi, under the LGPL, is optional: it comes with the extras
`casadi`, `cvxpy` and `pyomo` only; its wheels bring IPOPT, which is under the EPL-2.0.

*Run* marks what users may get with a distribution of SolverKit and its extras; the rest is for its developers alone.
Not in the table are what torch's build for CUDA brings, mostly NVIDIA's and under its terms, and atheris, under the
Apache License 2.0, which `requirements/fuzz.txt` pins and nothing else asks for.

| package | version | licence | run |
|---|---|---|---|
"""


def constraints(found: list[Package]) -> str:
    """The pins. Local versions, such as torch's `+cpu`, are builds of one index and left out."""
    return HEAD + "".join(f"{each.name}=={each.version.partition('+')[0]}\n" for each in found)


def page(found: list[Package]) -> str:
    """The table, with what is under weak copyleft named first."""
    weak = ", ".join(each.name for each in found if WEAK.search(each.licence))
    return INTRODUCTION.format(weak=weak) + "".join(map(_row, found))


def _row(each: Package) -> str:
    licence = each.licence.replace("|", "/")[:90]
    return f"| {each.name} | {each.version.partition('+')[0]} | {licence} | {'yes' if each.runs else ''} |\n"


def main() -> int:
    found = packages()
    CONSTRAINTS.write_text(constraints(found))
    PAGE.write_text(page(found))
    print(f"{len(found)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
