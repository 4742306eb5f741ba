"""Peers for bilinear games and linear programs: HiGHS and CVXPY."""
