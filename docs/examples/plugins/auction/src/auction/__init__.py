"""A method for SolverKit: the auction algorithm, for a kind that another plugin brings."""
