"""A process that holds an account's lock and beats as the engine does, and fails as told: the n-th life, the n-th way.

Plain Python: it is there in a few hundredths of a second.
"""

import faulthandler
import fcntl
import json
import os
import signal
import sys
import time

from waiting import pause

folder, *ways = sys.argv[1:]
os.makedirs(folder + "/logs", exist_ok=True)
with open(folder + "/lives", "a+") as file:
    file.write(f"{os.getpid()} {'NOTIFY_SOCKET' in os.environ}\n")
    file.seek(0)
    life = len(file.readlines())
way, _, argument = ways[min(life, len(ways)) - 1].partition(":")

if way == "never":
    pause(60)
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
ballast = []


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
        "data_silent_seconds": 999 if way == "no-data" else 0,
    }
    if way == "odd":
        if not os.path.lexists(folder + "/heartbeat"):
            os.symlink("nowhere", folder + "/heartbeat")
        return
    if os.path.islink(folder + "/heartbeat"):
        os.unlink(folder + "/heartbeat")
    with open(folder + "/heartbeat.new", "w") as file:
        file.write("rubbish" if way == "garbage" else json.dumps(status))
    os.replace(folder + "/heartbeat.new", folder + "/heartbeat")


def hangs_here() -> None:
    while not left:
        pause(0.01)


began = time.monotonic()
while not left:
    beat()
    pause(0.01)
    age = time.monotonic() - began
    if way in ("hang", "deaf", "mute") and age > 0.3:
        while way == "deaf":
            pause(1)
        hangs_here()
    if way == "leak" and age > 0.3 and not ballast:
        ballast.append(bytearray(os.urandom(1024)) * 200_000)
    if way == "stop" and age > 0.3:
        began = time.monotonic() + 1_000
        os.kill(os.getpid(), signal.SIGSTOP)
    if way == "die" and age > 0.3:
        os.kill(os.getpid(), signal.SIGKILL)
    if way in ("exit", "garbage", "odd") and age > float(argument.partition("@")[2] or 0.3):
        if argument == "2":
            print("keyturn: the journal has a damaged line", file=sys.stderr, flush=True)
        sys.exit(int(argument.partition("@")[0] or 0))
