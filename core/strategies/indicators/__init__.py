"""Indicators that take one value at a time and keep only a window of the last values.

They are Decimal, as VWAP is: a price has few digits, so a sliding sum that adds the newest and subtracts the oldest
stays exact, and a desk that started late has exactly the state of one that had been running. For the same reason none
is smoothed exponentially: such an average depends on its first value for ever, and two starts would never quite agree.
Each is None until its window is full.
"""
