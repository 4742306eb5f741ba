"""What a worker runs on: machine, versions, and the threads that numerical libraries may use."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import platform
import sys
from importlib import metadata
from typing import Any

from solverkit.engine.plain import dumps

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
"""Environment variables that libraries read when they are imported."""

LIBRARIES = ("numpy", "scipy", "torch", "numba", "casadi", "clarabel", "highspy")


def thread_variables(threads: int) -> dict[str, str]:
    """The environment of a worker that is not yet started."""
    return dict.fromkeys(VARIABLES, str(threads))


def pin(threads: int) -> None:
    """Hold this process to so many threads, libraries that are imported already included."""
    os.environ.update(thread_variables(threads))
    with contextlib.suppress(ImportError):
        import threadpoolctl

        threadpoolctl.threadpool_limits(threads)
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(threads)
    if (numba := sys.modules.get("numba")) is not None:
        with contextlib.suppress(ValueError):  # it was started with fewer
            numba.set_num_threads(threads)


@functools.cache
def environment(threads: int) -> tuple[str, dict[str, Any]]:
    """This process's environment, and its key: equal environments have equal keys."""
    from solverkit.registry import registry

    versions = {name: version for name in ("solverkit", *LIBRARIES) if (version := _version(name))}
    facts = {
        "host": platform.node(),
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "cores available": _available(),
        "memory (GiB)": _memory(),
        "python": platform.python_version(),
        "threads": {"asked for": threads, **{name: os.environ.get(name, "") for name in VARIABLES}, **_pools()},
        "versions": versions,
        "plugins": {record.distribution or record.name: record.version for record in registry.plugins()},
    }
    return hashlib.sha256(dumps(facts).encode()).hexdigest()[:12], facts


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _processor() -> str:
    """The CPU model as the system names it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith(("model name", "Model")):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _available() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 0


def _memory() -> float:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (ValueError, OSError, AttributeError):
        return 0.0


def _pools() -> dict[str, int]:
    """Threads of the pools that are loaded, as threadpoolctl sees them; empty without it."""
    try:
        import threadpoolctl
    except ImportError:
        return {}
    return {
        f"{pool['user_api']} ({pool['internal_api']})": pool["num_threads"] for pool in threadpoolctl.threadpool_info()
    }
