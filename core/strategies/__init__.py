"""Strategies look at complete bars and answer with a signal or a named reason. They can propose, and nothing else."""
