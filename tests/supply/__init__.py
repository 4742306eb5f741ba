"""What the project installs: pinned, under licences that are known, and nothing else."""
