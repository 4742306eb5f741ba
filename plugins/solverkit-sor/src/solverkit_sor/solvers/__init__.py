"""Solvers of one linear system that a tuner may choose between, behind one interface: `base.SolverArm`."""
