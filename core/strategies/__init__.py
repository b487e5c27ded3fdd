"""Strategies read complete bars and answer with a signal or a named reason. They can only propose orders."""
