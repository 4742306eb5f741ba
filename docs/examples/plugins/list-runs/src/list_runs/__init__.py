"""A command for SolverKit: a table of the results below a folder."""
