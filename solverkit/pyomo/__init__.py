"""Pyomo models, both ways. Importing this module makes `pyo.SolverFactory("solverkit")` known to Pyomo.

    import solverkit.pyomo
    result = solverkit.pyomo.solve(model)                       # our Result; the values are on the model
    results = pyo.SolverFactory("solverkit").solve(model)       # Pyomo's results, for scripts that exist

`solverkit.solve(model)` and `solverkit.load(model)` take a model too, and leave it as it is.
"""

from solverkit.pyomo.factory import SolverKit
from solverkit.pyomo.model import Written, load, solve, write

__all__ = ["SolverKit", "Written", "load", "solve", "write"]
