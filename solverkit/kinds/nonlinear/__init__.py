"""min f(x) subject to lower <= c(x) <= upper and bounds on x."""
