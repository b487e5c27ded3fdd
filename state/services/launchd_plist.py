"""The property list of a launchd user agent. launchd cannot interpret exit statuses: the watchdog alone decides."""

from __future__ import annotations

import plistlib

from state.services.plan import LATEST_STOP, ServicePlan

LABEL = "keyturn.engine"
NAME = f"{LABEL}.plist"
MARK = "<!-- Written by `keyturn service install`, which writes over it. -->"
HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n'


def plist_of(plan: ServicePlan) -> str:
    """Return the complete property list. `Crashed`: launchd restarts the watchdog only after a signal ended it."""
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
