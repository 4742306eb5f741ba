"""Linear programs of Netlib, feasible and infeasible: real data, whose units are anything but alike.

`programs.npz` holds those of up to 7,500 nonzeros, and infeasible ones of up to 21,000. All of them are in the
benchmarks of SciPy's source distribution, converted there from the MPS files of netlib.org/lp; `collect` makes
`programs.npz` from it.
"""
