"""The watchdog: a process of its own, parent of the engine's, that restarts one that hangs, leaks or dies (SY-02).

It reads the heartbeat and the process table, and touches no broker, no journal and no socket. `judge.py` and
`growth.py` decide, and know no clock; `engine_signs.py` looks; `child.py` and `watchdog.py` start, ask and end.
"""
