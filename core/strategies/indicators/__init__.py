"""Indicators that take one value at a time, and remember only a window of the last ones.

They are Decimal, as VWAP is: a price has a few digits, so a sum that gains the newest and loses the oldest is exact
however long it slides, and a desk that was started in the middle holds the very state of one that had been running.
For the same reason none is smoothed exponentially: such an average remembers its first value for ever, and two starts
never quite agree. Each is None until its window is full.
"""
