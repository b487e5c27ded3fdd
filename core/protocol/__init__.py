"""The protocol between a desk and its engine: plain bytes in and out, for both ends.

Nothing here opens connections, waits or reads a clock. Data from the other end is untrusted: it is checked against the
types of the fields before a value is built from it, and a fault raises `FrameError` with its place.
"""
