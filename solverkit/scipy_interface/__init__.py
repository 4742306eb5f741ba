"""`minimize` with the arguments of `scipy.optimize.minimize`, and methods that SciPy's own function takes.

result = sk.minimize(fun, x0, constraints=..., bounds=...)
result = scipy.optimize.minimize(fun, x0, method=sk.scipy_method("sketched-newton"), constraints=...)
"""

from solverkit.scipy_interface.call import minimize, scipy_method

__all__ = ["minimize", "scipy_method"]
