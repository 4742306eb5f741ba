"""LP files (CPLEX's format) of linear programs with continuous variables."""
