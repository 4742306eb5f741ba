"""MPS files of linear programs: fixed and free format, continuous variables."""
