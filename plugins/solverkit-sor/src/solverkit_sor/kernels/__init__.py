"""Compiled loops over sparse matrices and stencils: no Python, no library call inside."""
