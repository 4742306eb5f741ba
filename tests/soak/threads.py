"""R16: eight threads at once, and other processes, give bit for bit what single runs give.

Every method, several rounds: all methods mixed in a random order, each on a problem of its own; then each method in all
threads at once on one problem that they share; then forks. The process is left as it was: before and after each round
random generators, floating-point errors, warnings, signal handlers, folder, locale, environment, standard streams and
torch's settings are compared. The long form ends with workers that are spawned, and with loky's.
"""

from __future__ import annotations

import locale
import multiprocessing
import os
import random
import signal
import warnings
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import joblib
import numpy as np

import solverkit as sk
from solverkit.testing.digest import digest
from solverkit.testing.subject import trace_digest
from tests.methods.subjects import Chosen, chosen
from tests.soak import Tally

CASES = 6 * 38 * 9
THREADS = 8
WORKERS = 2
STEPS = 4


def outcome(each: Chosen, problem: Any = None) -> str:
    """The digest of a short run, of a problem that is loaded anew where none is given."""
    return trace_digest(sk.solve(each.load() if problem is None else problem, each.method, max_iter=STEPS))


def process() -> dict[str, str]:
    """What a run must leave as it is."""
    import torch

    return {
        "random": digest(list(random.getstate()[1])),
        "numpy.random": digest([str(part) for part in np.random.get_state()]),  # noqa: NPY002 - its state is what must not change
        "torch.random": digest(torch.get_rng_state().numpy()),
        "numpy.errstate": str(np.geterr()),
        "warnings": str(warnings.filters),
        "signals": str([signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]),
        "folder": os.getcwd(),
        "locale": str(locale.setlocale(locale.LC_ALL)),
        "environment": str(sorted(os.environ.items())),
        "torch": f"{torch.get_default_dtype()} {torch.get_num_threads()} {torch.is_grad_enabled()}",
        "umask": str(_umask()),
        "standard streams": str([(file.st_dev, file.st_ino) for file in map(os.fstat, (1, 2))]),
    }


def run(cases: int, seed: int, methods: tuple[str, ...] = ()) -> Tally:
    """Rounds of all methods until there are so many cases."""
    tally, rng = Tally(), random.Random(seed)
    warnings.simplefilter("ignore")
    alone = {each: outcome(each) for each in chosen() if not methods or each.method in methods}
    while tally.cases < cases:
        before = process()
        mixed = rng.sample(list(alone), len(alone))
        with ThreadPoolExecutor(THREADS) as pool:
            _compare(tally, alone, mixed, pool.map(outcome, mixed), "a thread")
            for each in mixed:
                together, problems = [each] * THREADS, [each.load()] * THREADS
                _compare(tally, alone, together, pool.map(outcome, together, problems), "a thread, on a shared problem")
        changed = [name for name, value in process().items() if value != before[name]]
        if changed:
            tally.failures.append(f"the process was changed: {', '.join(changed)}")
        _compare(tally, alone, mixed[::4], map(_forked, mixed[::4]), "a fork")
    if not methods:
        _in_workers(tally, alone)
    return tally


def _compare(
    tally: Tally, alone: dict[Chosen, str], tried: list[Chosen], found: Iterable[str | None], where: str
) -> None:
    for each, one in zip(tried, found, strict=True):
        tally.count("" if one == alone[each] else f"{each.method} in {where}: another run, or none")


def _in_workers(tally: Tally, alone: dict[Chosen, str]) -> None:
    tried = list(alone)
    with ProcessPoolExecutor(WORKERS, multiprocessing.get_context("spawn")) as pool:
        _compare(tally, alone, tried, pool.map(outcome, tried), "a spawned worker")
    with joblib.parallel_config("loky", n_jobs=WORKERS):
        _compare(tally, alone, tried, joblib.Parallel()(map(joblib.delayed(outcome), tried)), "a worker of loky")


def _forked(each: Chosen) -> Any:
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send(outcome(each)), daemon=True)
    child.start()
    answer = receiver.recv() if receiver.poll(60) else None
    child.kill()
    child.join()
    return answer


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
