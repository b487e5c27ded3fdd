"""A property list for launchd, as a user's agent. It cannot be told what a status means: the watchdog decides alone."""

from __future__ import annotations

import plistlib

from state.services.plan import LATEST_STOP, ServicePlan

LABEL = "keyturn.engine"
NAME = f"{LABEL}.plist"
MARK = "<!-- Written by `keyturn service install`, which writes over it. -->"
HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n'


def plist_of(plan: ServicePlan) -> str:
    """The property list, whole. `Crashed`: launchd starts the watchdog again where a signal ended it, and only then."""
    log = str(plan.logs / "service.log")
    found = plistlib.dumps(
        {
            "Label": LABEL,
            "ProgramArguments": list(plan.command),
            "EnvironmentVariables": dict(plan.variables),
            "RunAtLoad": True,
            "KeepAlive": {"Crashed": True},
            "ThrottleInterval": 10,
            "ExitTimeOut": LATEST_STOP,
            "StandardOutPath": log,
            "StandardErrorPath": log,
            "Umask": 0o077,
            "SoftResourceLimits": {"Core": 0},
        },
        sort_keys=False,
    )
    return (HEAD + MARK.encode() + b"\n" + found.removeprefix(HEAD)).decode()
