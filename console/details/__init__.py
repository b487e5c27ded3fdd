"""Details of a row for Enter: every field in words, with unit and age. One kind of row in each file; text only."""
