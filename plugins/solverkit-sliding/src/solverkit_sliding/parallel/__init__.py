"""f as a sum over processes that hold a part of the rows each."""
