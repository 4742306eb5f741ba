"""A_t x_t = b_t for t = 1, ..., T: a sequence of sparse linear systems with one pattern."""
