"""Ways to solve the Newton system, each behind the interface of `base`."""
