"""A unit for systemd's user manager, with only those directives that it can apply; docs/SERVICE.md gives reasons.

Some directives need unprivileged user namespaces. Where the system denies them, those are left out: the unit would not
start.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from state.services.plan import LATEST_STOP, ServicePlan
from state.watchdog.limits import Limits
from state.watchdog.watchdog import GAVE_UP, SAME_AGAIN

NAME = "keyturn.service"
MARK = "# Written by `keyturn service install`, which writes over it; your own changes: systemctl --user edit keyturn"
LIVES_SECONDS = 60
"""The interval within which the watchdog must report to systemd; otherwise systemd restarts both."""
MEMORY_MAX = "2G"
"""Of engine, watchdog and strategies together."""

ALWAYS = """\
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
# A strategy's process takes namespaces and a root of its own: neither may be denied here.
SystemCallFilter=@system-service @mount
SystemCallErrorNumber=EPERM
LimitCORE=0
TasksMax=512
"""
BY_NAMESPACES = """\
PrivateUsers=yes
CapabilityBoundingSet=
PrivateMounts=yes
PrivateIPC=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectHostname=yes
ProtectClock=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
"""
DENIED = "# This system denies unprivileged user namespaces: ProtectSystem, PrivateTmp and their like are left out.\n"
SWITCHES = (
    ("kernel/unprivileged_userns_clone", "0"),
    ("kernel/apparmor_restrict_unprivileged_userns", "1"),
    ("user/max_user_namespaces", "0"),
)
"""Settings in /proc/sys that deny namespaces, and the denying values."""


def unit_of(plan: ServicePlan, *, has_namespaces: bool = True) -> str:
    """Return the complete unit."""
    return "".join(f"{line}\n" for line in _lines(plan, Limits())) + _hardening(plan, has_namespaces) + _END


_END = "\n[Install]\nWantedBy=default.target\n"


def _lines(plan: ServicePlan, limits: Limits) -> Iterator[str]:
    yield MARK
    yield "[Unit]"
    yield "Description=Keyturn trading engine, under its watchdog"
    yield "Documentation=man:keyturn(1)"
    yield f"StartLimitIntervalSec={limits.within_seconds:.0f}"
    yield f"StartLimitBurst={limits.restarts + 1}"
    yield ""
    yield "[Service]"
    yield "Type=notify"
    yield "NotifyAccess=main"
    yield f"ExecStart={' '.join(quoted(word, is_command=True) for word in plan.command)}"
    for name, value in plan.variables.items():
        yield f"Environment={quoted(f'{name}={value}')}"
    yield f"EnvironmentFile=-{_path(plan.keys)}"
    yield f"TimeoutStartSec={limits.starting_seconds + LIVES_SECONDS:.0f}"
    yield f"TimeoutStopSec={LATEST_STOP}"
    yield f"WatchdogSec={LIVES_SECONDS}"
    yield "# The watchdog restarts the engine; systemd restarts the watchdog, and neither what would end so again."
    yield "Restart=on-failure"
    yield "RestartSec=2"
    yield f"RestartPreventExitStatus={' '.join(map(str, (*SAME_AGAIN, GAVE_UP)))}"
    yield "KillMode=mixed"
    yield f"MemoryMax={MEMORY_MAX}"


def _hardening(plan: ServicePlan, has_namespaces: bool) -> str:
    if not has_namespaces:
        return ALWAYS + DENIED
    return ALWAYS + BY_NAMESPACES + f"ReadWritePaths={' '.join(quoted(str(folder)) for folder in plan.folders)}\n"


def quoted(word: str, *, is_command: bool = False) -> str:
    """Quote one word for systemd: without specifiers, variables or word breaks."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    escaped = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in escaped)
    return f'"{escaped.replace("$", "$$") if is_command else escaped}"'


def _path(path: Path) -> str:
    """Escape a path for directives that take one path, unquoted, to the end of the line."""
    return str(path).replace("%", "%%")


def denies_namespaces(switches: Path = Path("/proc/sys")) -> bool:
    """Whether this system denies namespaces to users. A missing switch denies nothing."""
    return any(_value(switches / name) == denying for name, denying in SWITCHES)


def _value(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
