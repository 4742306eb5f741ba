"""`bo-rep`: normalized momentum steps of x, periodic steps of y in a ball, stochastic steps of the linear system."""
