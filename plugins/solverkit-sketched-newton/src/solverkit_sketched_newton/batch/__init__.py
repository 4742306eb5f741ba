"""Many small problems of one structure at once: `solve_batch`."""

from solverkit_sketched_newton.batch.result import BatchResult, BatchStatus
from solverkit_sketched_newton.batch.solve import solve_batch

__all__ = ["BatchResult", "BatchStatus", "solve_batch"]
