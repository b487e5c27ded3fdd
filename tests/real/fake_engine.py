"""A process that holds an account's lock and beats as the engine does, and fails as told: the n-th life, the n-th way.

Plain Python: it is there in a few hundredths of a second. The ways are `live`, `hang`, `mute` (its threads cannot be
asked for), `stop` (by the kernel), `deaf` (to SIGTERM) and `exit`.
"""

import faulthandler
import fcntl
import json
import os
import signal
import sys
import time

from waiting import pause

SOUND = 0.3
"""Seconds after which it fails."""

folder, *ways = sys.argv[1:]
os.makedirs(folder + "/logs", exist_ok=True)
with open(folder + "/lives", "a+") as file:
    file.write(f"{os.getpid()} {'NOTIFY_SOCKET' in os.environ}\n")
    file.seek(0)
    way = ways[min(len(file.readlines()), len(ways)) - 1]

lock = open(folder + "/lock", "w")  # noqa: SIM115 - held to the end of the process
fcntl.flock(lock, fcntl.LOCK_EX)
lock.write(json.dumps({"pid": os.getpid(), "started": ""}))
lock.flush()
left = []
signal.signal(signal.SIGTERM, signal.SIG_IGN if way == "deaf" else lambda *_: left.append(1))
if way != "mute":
    dumps = open(folder + "/logs/threads.txt", "a")  # noqa: SIM115
    dumps.write(f"process {os.getpid()} listens-to-SIGUSR2\n")
    dumps.flush()
    faulthandler.register(signal.SIGUSR2, file=dumps)


def beat() -> None:
    status = {
        "state": "on",
        "pid": os.getpid(),
        "mode": "paper",
        "positions": 2,
        "orders_working": 1,
        "orders_sent": 0,
        "proposals_waiting": 0,
        "journal_sequence": 1,
        "account": "paper",
        "uncovered": ["SPY 2.5 no stop"],
        "data_silent_seconds": 0,
    }
    with open(folder + "/heartbeat.new", "w") as file:
        file.write(json.dumps(status))
    os.replace(folder + "/heartbeat.new", folder + "/heartbeat")


def hangs_here() -> None:
    while not left:
        pause(0.01)


began = time.monotonic()
while not left:
    beat()
    pause(0.01)
    if time.monotonic() - began > SOUND and way != "live":
        if way == "exit":
            break
        if way == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
            began = time.monotonic() + 1_000
        else:
            hangs_here()
