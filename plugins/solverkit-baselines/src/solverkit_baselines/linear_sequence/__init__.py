"""Peers for sequences of linear systems: SciPy's CG, PyAMG, SuperLU."""
