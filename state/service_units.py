"""Units for service managers, systemd and launchd, and the file that holds one.

Some directives need unprivileged user namespaces. Where the system denies them, those are left out: the unit would not
start.
"""

from __future__ import annotations

import os
import plistlib
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path

from core.files.regular_file import bytes_of
from core.model.lazy_dataclass import dataclass
from core.ports import OperatorError
from state.files import Home, replace_file
from state.watchdog.presence import Limits
from state.watchdog.watchdog import GAVE_UP, SAME_AGAIN

EXPECTS = "KEYTURN_EXPECTS"
"""The folder that a service waits for before it writes anything."""
PLACES = ("KEYTURN_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
"""Variables for the place of settings and state; a manager has a separate environment."""
SHARED = (Path("/tmp"), Path("/var/tmp"))
LATEST_STOP = 45
"""Time-out of a stop in seconds: twice the watchdog's time-out, plus a margin."""


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """The engine under its watchdog, for one user.

    Attributes
    ----------
    command
        The foreground command.
    variables
        Its environment variables; never a key.
    folders
        The folders that it writes to; they exist.
    keys
        A file of `NAME=VALUE` lines that the manager reads if it exists: the keys, on systems without a keyring.
    logs
        The folder for output, for managers without a log.
    """

    command: tuple[str, ...]
    variables: Mapping[str, str]
    folders: tuple[Path, ...]
    keys: Path
    logs: Path


def plan_of(home: Home, environ: Mapping[str, str], command: list[str]) -> ServicePlan:
    """Return the plan. Raises `OperatorError` if a service could not find its files again."""
    for folder in home.own:
        if any(folder.is_relative_to(shared) for shared in SHARED):
            raise OperatorError(f"{folder} is a temporary folder, and a service has its own /tmp; choose another")
    chosen = {name: environ[name] for name in PLACES if environ.get(name)}
    if "KEYTURN_HOME" in chosen:
        chosen = {"KEYTURN_HOME": str(Path(chosen["KEYTURN_HOME"]).expanduser().absolute())}
    folders = tuple(dict.fromkeys(home.own))
    chosen[EXPECTS] = str(home.state)  # it exists now: where it is not there, its home is not mounted yet
    return ServicePlan(tuple(command), chosen, folders, home.settings.parent / "environment", home.state)


LABEL = "keyturn.engine"
PLIST_NAME = f"{LABEL}.plist"
PLIST_MARK = "<!-- Written by `keyturn service install`, which writes over it. -->"
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
    return (HEAD + PLIST_MARK.encode() + b"\n" + found.removeprefix(HEAD)).decode()


UNIT_NAME = "keyturn.service"
UNIT_MARK = (
    "# Written by `keyturn service install`, which writes over it; your own changes: systemctl --user edit keyturn"
)
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
    yield UNIT_MARK
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
    return ALWAYS + BY_NAMESPACES + f"ReadWritePaths={' '.join(quoted(f'-{folder}') for folder in plan.folders)}\n"


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


LARGEST = 100_000
HEAD_LINES = 3
"""The number of first lines that contain the mark."""


class UnitState(Enum):
    """The state of a unit's file."""

    MISSING = "missing"
    AS_WRITTEN = "as written"
    DIFFERS = "differs"
    """Ours, but different from the current definition: written by another release, or edited."""
    OF_ANOTHER = "of another"


@dataclass(frozen=True, slots=True)
class UnitFile:
    """The path and text of a unit, and the mark that identifies our file."""

    path: Path
    text: str
    mark: str

    def state(self) -> UnitState:
        if not os.path.lexists(self.path):
            return UnitState.MISSING
        try:
            content = bytes_of(self.path, LARGEST).decode(errors="replace")
        except OSError:
            return UnitState.OF_ANOTHER
        if self.path.is_symlink() or self.mark not in content.splitlines()[:HEAD_LINES]:
            return UnitState.OF_ANOTHER
        return UnitState.AS_WRITTEN if content == self.text else UnitState.DIFFERS

    def write(self) -> UnitState:
        """Write the file if missing or ours; return its previous state. Raises `OperatorError`, OSError."""
        before = self.state()
        self._refuse_anothers(before)
        if before is not UnitState.AS_WRITTEN:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self.path, self.text.encode())
        return before

    def remove(self) -> UnitState:
        """Remove the file if ours; return its previous state. Raises `OperatorError`, OSError."""
        before = self.state()
        self._refuse_anothers(before)
        if before is not UnitState.MISSING:
            self.path.unlink()
        return before

    def _refuse_anothers(self, found: UnitState) -> None:
        if found is UnitState.OF_ANOTHER:
            raise OperatorError(f"{self.path} was not written by Keyturn; move it away first")
