"""`python -m tests.netlib.collect SCIPY.tar.gz [--out FILE] [--nonzeros N]`: Netlib's programs from SciPy's sources.

The archive is SciPy's source distribution as PyPI has it. Its arrays of bounds are pickled Python objects, so that it
has to be one that you trust.
"""

from __future__ import annotations

import argparse
import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse, vstack

from tests.netlib.programs import FIELDS, FILE, INFEASIBLE, MAX_NONZEROS

FOLDER = "/linprog_benchmark_files/"
MORE = 2.8  # times as many nonzeros of infeasible programs: there are few


def converted(content: bytes, infeasible: bool) -> dict[str, np.ndarray]:
    """The fields of a program, from A_ub x <= b_ub, A_eq x = b_eq, and bounds, without which 0 <= x."""
    found: dict[str, Any] = dict(np.load(io.BytesIO(content), allow_pickle=True))
    c = found["c"].astype(float)
    A = csr_array(vstack([_matrix(found[name], len(c)) for name in ("A_ub", "A_eq")]))
    above, equal = (found[name].astype(float).ravel() for name in ("b_ub", "b_eq"))
    bounds = found["bounds"].reshape(-1, 2)
    lower, upper = np.zeros(len(c)), np.full(len(c), np.inf)
    for j, (low, high) in enumerate(bounds):
        lower[j], upper[j] = -np.inf if low is None else low, np.inf if high is None else high
    return {
        "c": c,
        "data": A.data,
        "indices": A.indices.astype(np.int32),
        "indptr": A.indptr.astype(np.int32),
        "row_lower": np.concatenate([np.full(len(above), -np.inf), equal]),
        "row_upper": np.concatenate([above, equal]),
        "lower": lower,
        "upper": upper,
        "value": np.array(INFEASIBLE if infeasible else float(found["obj"])),
    }


def _matrix(value: np.ndarray, n: int) -> csr_array:
    stored = value.item() if value.dtype == object else value
    return csr_array(stored) if issparse(stored) or stored.size else csr_array((0, n))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.netlib.collect", description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--out", type=Path, default=FILE)
    parser.add_argument("--nonzeros", type=int, default=MAX_NONZEROS)
    asked = parser.parse_args()
    fields = {}
    with tarfile.open(asked.archive) as archive:
        for member in archive:
            if FOLDER not in member.name or not member.name.endswith(".npz") or "milp" in member.name:
                continue
            infeasible = "/infeasible/" in member.name
            stream = archive.extractfile(member)
            assert stream is not None
            program = converted(stream.read(), infeasible)
            if len(program["data"]) <= asked.nonzeros * (MORE if infeasible else 1):
                name = Path(member.name).stem.lower()
                fields |= {f"{name}.{field}": program[field] for field in FIELDS}
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(asked.out, **fields)
    print(f"{len(fields) // len(FIELDS)} programs in {asked.out}, {asked.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
