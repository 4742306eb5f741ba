"""What is shipped, tried where it will be used: wheels in clean environments, outside the repository.

make packages                           all of it
python -m tests.packages core           one environment
"""
