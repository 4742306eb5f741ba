"""`solverkit doctor`."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from importlib import metadata

import click

import solverkit
from solverkit.cli import output
from solverkit.cli.arguments import json_flag
from solverkit.registry import published, registry
from solverkit.registry.packages import PIP_NAMES, missing, pip_line

CORE = ("clarabel", "click", "numpy", "packaging", "pluggy", "pydantic", "rich", "ruamel", "scipy")
OPTIONAL = ("casadi", "cvxpy", "highspy", "networkx", "numba", "pyomo", "sklearn", "torch")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@click.command("doctor")
@json_flag
def command(json_: bool) -> int:
    """Look at this machine and installation.

    Exit code 0: all is well; 2: something needs attention, and the last section says what.
    """
    findings = {
        "system": _system(),
        "packages": {name: _package(name) for name in (*CORE, *OPTIONAL)},
        "devices": _devices(),
        "threads": {name: os.environ.get(name, "not set") for name in THREADS},
        "plugins": {record.name: f"{record.origin}, {record.status}" for record in registry.plugins()},
        "attention": _attention(),
    }
    if json_:
        output.as_json(findings)
    else:
        for name, rows in findings.items():
            if rows:
                output.heading(name)
                output.pairs(rows.items() if isinstance(rows, dict) else [("-", text) for text in rows])
    return 2 if findings["attention"] else 0


def _system() -> dict[str, str]:
    return {
        "solverkit": f"{solverkit.__version__} at {next(iter(solverkit.__path__))}",
        "python": f"{platform.python_version()} at {sys.executable}",
        "platform": platform.platform(),
        "processors": str(_processors()),
        "output": f"{sys.stdout.encoding}, {output.width()} columns",
    }


def _processors() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _package(name: str) -> str:
    """The version, or the line that installs it."""
    if missing([name]):
        return f"not installed: {pip_line([name])}"
    try:
        return metadata.version(PIP_NAMES.get(name, name).partition("==")[0])
    except metadata.PackageNotFoundError:
        return "installed, version unknown"


def _devices() -> dict[str, str]:
    found = {"cpu": platform.machine()}
    if missing(["torch"]):
        return {**found, "cuda": "unknown without torch"}
    try:
        import torch

        count = torch.cuda.device_count()
        names = [torch.cuda.get_device_name(index) for index in range(count)]
        return {**found, "cuda": ", ".join(names) or "none that torch can use"}
    except Exception as error:
        return {**found, "cuda": f"torch fails: {type(error).__name__}: {error}"}


def _other_cores() -> list[str]:
    """Folders of other copies of the core on the path, which would be used from another working folder."""
    own = os.path.realpath(next(iter(solverkit.__path__)))
    places = (os.path.join(place or os.getcwd(), "solverkit") for place in sys.path)
    copies = {os.path.realpath(place) for place in places if os.path.isfile(os.path.join(place, "__init__.py"))}
    return sorted(copies - {own})


def _cacheable() -> bool:
    try:
        from solverkit import kernels

        return kernels.cacheable(kernels.njit)
    except Exception:  # a broken numba is reported by the methods that need it
        return True


def _attention() -> list[str]:
    """What is wrong, each with what to do."""
    found = [f"{name} is missing: {pip_line([name])}" for name in missing(CORE)]
    if copies := _other_cores():
        here = next(iter(solverkit.__path__))
        found.append(f"{here} is in use, and there is another solverkit at {', '.join(copies)}: remove one of them")
    if not registry.methods():
        names = " ".join(sorted(published.METHODS))
        found.append(f"no method is installed: pip install one or more of {names}")
    for record in registry.plugins():
        if record.error:
            found.append(f"plugin {record.origin}: {record.error}. {record.remedy}")
    for spec in registry.methods():
        if absent := missing(spec.packages):
            found.append(f"method {spec.name} needs {', '.join(absent)}: {pip_line(absent)}")
    if not missing(["numba"]) and not _cacheable():
        found.append(
            "what numba compiles cannot be kept, so every start compiles it anew, up to half a minute: "
            "set NUMBA_CACHE_DIR to a folder of your own that can be written"
        )
    for what, folder in (("the current folder", os.getcwd()), ("the temporary folder", tempfile.gettempdir())):
        try:
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            reason = error.strerror or error
            found.append(f"{what} {folder} cannot be written ({reason}): give --out a folder that can, or set TMPDIR")
    return found
