"""The checks, a family to a file; `solverkit.testing.catalogue` has them by name."""
