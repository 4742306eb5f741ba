"""Start processes that form a gloo group on this machine, run a function in each, and hand back what rank 0 returned.

For several machines, start the processes yourself (torchrun), initialize the group, and use `rows.Sharded`: nothing of
this module is needed there.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from solverkit.errors import MissingPackage
from solverkit.registry.packages import missing, pip_line


def run(work: Callable[..., Any], processes: int, *arguments: Any, timeout: float = 600.0) -> Any:
    """`work(*arguments)` in each of so many processes, in one group; the value of rank 0.

    work : a function at the top of its module, which each process imports
    timeout : seconds that a rank waits for the others before it gives up

    Raises RuntimeError where a process fails, MissingPackage without torch."""
    if absent := missing(["torch"]):
        raise MissingPackage(f"processes that share out f need torch: {pip_line(absent)}")
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        answers = context.SimpleQueue()
        children = [
            context.Process(target=_rank, args=(rank, processes, folder, timeout, answers, work, arguments))
            for rank in range(processes)
        ]
        for child in children:
            child.start()
        for child in children:
            child.join(timeout)
            if child.is_alive():
                child.terminate()
        if any(child.exitcode != 0 for child in children) or answers.empty():
            raise RuntimeError(f"processes ended with {[child.exitcode for child in children]}; their errors are above")
        return answers.get()


def _rank(
    rank: int, processes: int, folder: str, timeout: float, answers: Any, work: Callable[..., Any], arguments: Any
) -> None:
    import torch
    import torch.distributed as group

    torch.set_num_threads(1)
    store = (Path(folder) / "store").as_uri()
    wait = timedelta(seconds=timeout)
    group.init_process_group("gloo", init_method=store, rank=rank, world_size=processes, timeout=wait)
    try:
        answer = work(*arguments)
        if rank == 0:
            answers.put(answer)
        group.barrier()
    finally:
        group.destroy_process_group()
