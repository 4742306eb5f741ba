"""Bilevel methods for SolverKit: `lv-hba`. See `solverkit_bilevel.lv_hba` for the mathematics."""
