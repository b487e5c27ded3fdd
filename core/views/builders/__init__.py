"""Makes the views from the state, one subject a file: each reads slices and returns immutable values."""
