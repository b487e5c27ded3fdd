"""Alpaca's bars and quotes: a stream first, polling when it fails, history for gaps (MD-01, MD-02, MD-04).

It knows nothing of orders or the trading adapter. Decisions (missing minutes, polling times, silence) are pure
functions with the time as an argument: `wire`, `minutes`, `line`, `backoff`, `timetable`, `cache`. `requests` and
`socket` use the network through Alpaca's own client, whose import takes a third of a second: the package is imported in
the engine's thread, after the first paint.
"""
