"""A kind of problem for SolverKit: linear assignment, with an exact certificate."""
