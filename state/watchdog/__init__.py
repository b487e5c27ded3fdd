"""The watchdog: the parent process of the engine, which restarts it when it hangs, leaks or dies (SY-02).

It reads the heartbeat and the process table, and uses no broker, journal or socket. `judge.py` and `judge.py` decide,
without a clock; `judge.py` observes; `child.py` and `watchdog.py` start, signal and end processes.
"""
