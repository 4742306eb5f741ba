"""R16: eight threads at once, and forks, give bit for bit what single runs give; the process is left as it was.

Every method, several rounds in random orders. Before and after each round the state of the process is compared: random
generators, floating-point errors, warnings, signal handlers, folder, locale, environment, torch's settings.
"""

from __future__ import annotations

import locale
import multiprocessing
import os
import random
import signal
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

import solverkit as sk
from solverkit.testing.digest import digest
from solverkit.testing.subject import trace_digest
from tests.methods.subjects import Chosen, chosen
from tests.soak import Tally

CASES = 16 * 38
THREADS = 8
STEPS = 4


def outcome(each: Chosen) -> str:
    """The digest of a short run."""
    return trace_digest(sk.solve(each.load(), each.method, max_iter=STEPS))


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
    }


def run(cases: int, seed: int, methods: tuple[str, ...] = ()) -> Tally:
    """Rounds of all methods in eight threads, every fourth one in a fork of this process."""
    tally, rng = Tally(), random.Random(seed)
    warnings.simplefilter("ignore")
    alone = {each: outcome(each) for each in chosen() if not methods or each.method in methods}
    while tally.cases < cases:
        round_ = list(alone)
        rng.shuffle(round_)
        before = process()
        with ThreadPoolExecutor(THREADS) as pool:
            found = list(pool.map(outcome, round_))
        changed = [name for name, value in process().items() if value != before[name]]
        if changed:
            tally.failures.append(f"the process was changed: {', '.join(changed)}")
        for each, one in zip(round_, found, strict=True):
            tally.count("" if one == alone[each] else f"{each.method} in a thread: another run")
        for each in round_[::4]:
            tally.count("" if _forked(each) == alone[each] else f"{each.method} in a fork: another run, or none")
    return tally


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
