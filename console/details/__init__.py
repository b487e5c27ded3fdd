"""What Enter tells of a row: every field in words, with its unit and its age. One kind of row a file; text alone."""
