"""The parts of the picture, one subject a file: each reads the slices and gives away immutable values."""
