"""Alpaca's bars and quotes: a stream first, polling where it fails, history for what was missed (MD-01, MD-02, MD-04).

It knows no order and nothing of the trading adapter. What is decided here (which minute is missing, when to poll, what
silence means) is pure and gets the time as an argument: `wire`, `minutes`, `line`, `backoff`, `timetable`, `cache`.
`requests` and `socket` touch the network with Alpaca's own client, which costs a third of a second to import: the room
is entered in the engine's thread, after the first paint.
"""
