"""The ground that a run stands on: everything of the process that is not the run's to change.

Each run of the kit stands on fresh ground: an empty working folder, generators seeded alike, and at the end everything
as it was before, so that neither the next check nor the author's session feels it. What the run left behind is noted.
"""

from __future__ import annotations

import locale
import logging
import os
import pickle
import random
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

SEED = 12345


@dataclass
class Ground:
    """What a run left behind, filled in when it is over."""

    generators: list[str] = field(default_factory=list)  # global generators that moved
    settings: list[str] = field(default_factory=list)  # `name: before -> after`
    threads: list[str] = field(default_factory=list)  # pools whose size changed
    files: list[str] = field(default_factory=list)  # in the working folder


@contextmanager
def ground() -> Iterator[Ground]:
    """Fresh ground for one run."""
    found = Ground()
    with ExitStack() as stack:
        for part in (_generators, _settings, _threads, _folder):
            stack.enter_context(part(found))
        yield found


def settle() -> None:
    """Every global generator as it always is before a run."""
    random.seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(SEED)


def _generator_states() -> dict[str, tuple[Any, Callable[[Any], object]]]:
    """State, comparable by its pickle, and setter of each global generator of the process."""
    states: dict[str, tuple[Any, Callable[[Any], object]]] = {
        "random": (random.getstate(), random.setstate),
        "numpy.random": (np.random.get_state(), np.random.set_state),  # noqa: NPY002
    }
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        state = torch.get_rng_state().numpy()  # the pickle of a tensor is not the same every time
        states["torch"] = state, lambda former: torch.set_rng_state(torch.from_numpy(former))
    return states


@contextmanager
def _generators(found: Ground) -> Iterator[None]:
    users = _generator_states()
    settle()
    before = {name: pickle.dumps(state) for name, (state, _) in _generator_states().items()}
    try:
        yield
    finally:
        after = {name: pickle.dumps(state) for name, (state, _) in _generator_states().items()}
        found.generators = [name for name in before if after[name] != before[name]]
        for state, restore in users.values():
            restore(state)


def _setting_values() -> dict[str, Any]:
    values = {
        "warnings.filters": list(warnings.filters),
        "numpy.geterr()": np.geterr(),
        "numpy.get_printoptions()": np.get_printoptions(),
        "os.environ": dict(os.environ),
        "sys.path": list(sys.path),
        "sys.getrecursionlimit()": sys.getrecursionlimit(),
        "locale": locale.setlocale(locale.LC_ALL),
        "logging": (logging.root.level, list(logging.root.handlers), logging.root.manager.disable),
    }
    if threading.current_thread() is threading.main_thread():
        values["signal.SIGINT"] = signal.getsignal(signal.SIGINT)
        values["signal.SIGTERM"] = signal.getsignal(signal.SIGTERM)
    if "torch" in sys.modules:
        values["torch.get_default_dtype()"] = sys.modules["torch"].get_default_dtype()
    return values


def _restore_settings(values: dict[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(values["os.environ"])
    sys.path[:] = values["sys.path"]
    sys.setrecursionlimit(values["sys.getrecursionlimit()"])
    locale.setlocale(locale.LC_ALL, values["locale"])
    level, handlers, disabled = values["logging"]
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    logging.disable(disabled)
    for name in ("SIGINT", "SIGTERM"):
        if values.get(f"signal.{name}") is not None:
            signal.signal(getattr(signal, name), values[f"signal.{name}"])
    if "torch.get_default_dtype()" in values:
        sys.modules["torch"].set_default_dtype(values["torch.get_default_dtype()"])


@contextmanager
def _settings(found: Ground) -> Iterator[None]:
    with warnings.catch_warnings(), np.errstate(), np.printoptions():
        before = _setting_values()
        try:
            yield
        finally:
            after = _setting_values()
            changed = [name for name in before if after[name] != before[name]]
            found.settings = [f"{name}: {_change(before[name], after[name])}" for name in changed]
            if changed:
                _restore_settings(before)


def _change(before: Any, after: Any) -> str:
    """What is new, in a few words."""
    if isinstance(before, dict):
        keys = [key for key in sorted(before.keys() | after.keys()) if before.get(key) != after.get(key)]
        return ", ".join(f"{key}={after.get(key)!r}, was {before.get(key)!r}" for key in keys[:3])
    if isinstance(before, list):
        return f"new {[entry for entry in after if entry not in before][:3]!r}"
    return f"{after!r}, was {before!r}"


def _pools() -> dict[str, tuple[int, Callable[[int], object]]]:
    """Size and setter of each thread pool that is loaded."""
    pools: dict[str, tuple[int, Callable[[int], object]]] = {}
    with suppress(ImportError):
        from threadpoolctl import ThreadpoolController

        for pool in ThreadpoolController().lib_controllers:
            pools[f"{pool.user_api} ({pool.filepath})"] = pool.num_threads, pool.set_num_threads
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        pools["torch"] = torch.get_num_threads(), torch.set_num_threads
    return pools


@contextmanager
def _threads(found: Ground) -> Iterator[None]:
    before = _pools()
    try:
        yield
    finally:
        after = _pools()
        for name, (size, restore) in before.items():
            if after[name][0] != size:
                found.threads.append(f"{name}: {after[name][0]} threads, was {size}")
                restore(size)


@contextmanager
def _folder(found: Ground) -> Iterator[None]:
    home = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            now = os.getcwd()
            if os.path.realpath(now) != os.path.realpath(folder):
                found.settings.append(f"the working folder: now {now}")
            os.chdir(home)
            found.files = sorted(os.listdir(folder))


@contextmanager
def captured() -> Iterator[list[str]]:
    """What is written to stdout and stderr within the block, by Python or below it; one text when it is over."""
    texts: list[str] = []
    with tempfile.TemporaryFile("w+b") as file, ExitStack() as stack:
        copies = {}
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        for descriptor in (1, 2):
            with suppress(OSError):
                copies[descriptor] = os.dup(descriptor)
                os.dup2(file.fileno(), descriptor)
        former = sys.stdout, sys.stderr
        writer = stack.enter_context(open(os.dup(file.fileno()), "w", encoding="utf-8"))
        sys.stdout = sys.stderr = writer
        try:
            yield texts
        finally:
            writer.flush()
            sys.stdout, sys.stderr = former
            for descriptor, copy in copies.items():
                os.dup2(copy, descriptor)
                os.close(copy)
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
