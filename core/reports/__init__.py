"""The evening page of a day and the digest of a week: what a journal says of them, in sums. It decides nothing."""
