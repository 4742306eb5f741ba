"""A data source for SolverKit: distances between random places on a sphere."""
