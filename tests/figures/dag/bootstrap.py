"""How often the edges of a learnt graph come back in bootstraps of Sachs and ecoli70, and how many of those are true.

Pictures are written to the folder that the variable SOLVERKIT_PICTURES names, with the shares beside the edges. By bic
a direction within a Markov class is a matter of chance: a pair counts in either direction, here and in the truth.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

import solverkit as sk
from solverkit.formats.load import load
from solverkit.kinds.dag.drawing import draw

BOOTSTRAPS = 50
CASES: tuple[tuple[str, dict[str, int]], ...] = (("sachs", {}), ("ecoli70", {"n": 300, "seed": 0}))
BANDS = ((0.0, 0.5), (0.5, 0.8), (0.8, 0.95), (0.95, 1.01))


def main() -> None:
    print(
        "| data | n | edges | s for 50 bootstraps | " + " | ".join(f"{100 * low:.0f} % on" for low, _ in BANDS) + " |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, given in CASES:
        problem = load(f"problems/dag/{name}/problem.yaml", parameters=given)
        assert problem.samples is not None
        began = time.process_time()
        # one order and no kicks for each bootstrap: what varies is the data
        learnt = sk.dag.fit(problem.samples, score="bic", bootstraps=BOOTSTRAPS, options={"restarts": 1, "kicks": 2})
        spent = time.process_time() - began
        shares, graph = learnt.frequencies_, learnt.adjacency_ != 0
        assert shares is not None
        joined = (shares + shares.T)[graph]
        true = (problem.truth != 0) | (problem.truth != 0).T
        told = []
        for low, high in BANDS:
            chosen = (joined >= low) & (joined < high)
            told.append(f"{true[graph][chosen].sum()} of {chosen.sum()}")
        print(f"| {name} | {problem.n} | {graph.sum()} | {spent:.1f} | {' | '.join(told)} |", flush=True)
        folder = os.environ.get("SOLVERKIT_PICTURES")
        if folder:
            picture = draw(np.where(graph, learnt.adjacency_, 0.0), problem.names, shares)
            (Path(folder) / f"{name}.svg").write_text(picture)


if __name__ == "__main__":
    main()
