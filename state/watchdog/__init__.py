"""The watchdog: the parent process of the engine, which restarts it when it hangs, leaks or dies (SY-02).

It reads the heartbeat and the process table, and uses no broker, journal or socket. `judge.py` observes and decides,
without a clock; `engine_process.py` and `watchdog.py` start, signal and end processes.
"""
