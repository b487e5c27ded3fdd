"""The report of a day or a week: sums from a journal. It decides nothing."""
