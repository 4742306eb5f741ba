"""SciPy's own tests of constrained minimization, run with our methods in place of SciPy's.

The test modules are those of the installed SciPy, unchanged; `minimize` in them is ours.

    python -m tests.scipy_tests [METHOD] [--short]

`applicable` says which of them say something about us, and why the others do not.
"""
