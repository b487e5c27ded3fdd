"""A systemd user manager in namespaces of its own, and Keyturn's service in it: prints what happened as JSON.

.venv/bin/python -m tests.real.user_manager FOLDER

Runs under `unshare --mount --pid --fork --mount-proc`: /run is empty and FOLDER is the home, at /mnt, because a service
refuses a home in /tmp. Nothing of this machine's own manager is touched. Directives of the unit that this kernel denies
are switched off in a drop-in and named.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from state.service_units import UNIT_NAME
from tests.real.waiting import until

HOME, RUNTIME = Path("/mnt"), Path("/run/user/0")
MANAGER = "/lib/systemd/systemd"
SETTINGS = 'profile = "micro"\nsymbols = ["SPY"]\n[account]\nbroker = "simulated"\n'
PROBED = re.compile(
    r"^((?:Private|Protect)\w+=\S+|SystemCallFilter=.*|MemoryMax=.*|CapabilityBoundingSet=)$", re.MULTILINE
)


def quiet(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def user(*words: str) -> subprocess.CompletedProcess[str]:
    return quiet("systemctl", "--user", *words)


def keyturn(*words: str) -> subprocess.CompletedProcess[str]:
    return quiet(sys.executable, "-P", "-m", "app", *words)


def shown(name: str) -> str:
    return user("show", "keyturn", "-p", name, "--value").stdout.strip()


def engine() -> int | None:
    """Return the process of an engine that is on; None while there is none."""
    found = json.loads(keyturn("status", "--json").stdout or "{}")
    return found["pid"] if found.get("state") == "on" else None


def another_engine(than: int | None) -> int:
    def found() -> int | None:
        now = engine()
        return now if now != than else None

    return until(found, "an engine is on") or 0


def main(folder: str) -> None:
    for command in (
        ("mount", "--make-rprivate", "/"),
        ("mount", "-t", "tmpfs", "tmpfs", "/run"),
        ("mount", "--bind", folder, str(HOME)),
    ):
        subprocess.run(command, check=True)
    Path("/run/systemd/system").mkdir(parents=True)  # else the manager says that this is no systemd machine
    RUNTIME.mkdir(parents=True, mode=0o700)
    for name in [name for name in os.environ if name.startswith(("KEYTURN", "XDG_"))]:
        del os.environ[name]
    os.environ.update(HOME=str(HOME), XDG_RUNTIME_DIR=str(RUNTIME))
    settings = HOME / ".config/keyturn/settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(SETTINGS)
    manager = subprocess.Popen([MANAGER, "--user", "--log-target=null"], stdout=2)
    until(lambda: user("is-system-running").stdout.strip() in ("running", "degraded"), "the manager answers")
    print(json.dumps(happened()))
    manager.send_signal(signal.SIGKILL)


def happened() -> dict[str, object]:
    """Install, start, kill engine and watchdog, stop and remove."""
    found: dict[str, object] = {"installed": keyturn("service", "install").returncode}
    units = HOME / ".config/systemd/user"
    directives = PROBED.findall((units / UNIT_NAME).read_text())
    run = ("systemd-run", "--user", "--wait", "--quiet")
    denied = [each for each in directives if quiet(*run, "-p", each, "true").returncode]
    found["denied"] = sorted(each.partition("=")[0] for each in denied)
    drop_in = units / f"{UNIT_NAME}.d" / "denied.conf"
    drop_in.parent.mkdir()
    drop_in.write_text("[Service]\n" + "".join(f"{each.partition('=')[0]}=no\n" for each in denied))
    user("daemon-reload")
    found["started"] = user("start", "keyturn").returncode
    first = another_engine(None)
    os.kill(first, signal.SIGKILL)
    second = another_engine(first)
    found["after the engine died"] = shown("NRestarts")
    os.kill(int(shown("MainPID")), signal.SIGKILL)
    until(lambda: shown("NRestarts") == "1" and shown("SubState") == "running", "systemd starts the watchdog again")
    third = another_engine(second)
    found["engines"] = len({first, second, third})
    found["status text"] = until(lambda: "on" if shown("StatusText") == "on" else "", "systemd has the engine's state")
    found["refused"] = keyturn("service", "remove").returncode
    found["stopped"] = user("stop", "keyturn").returncode
    found["end"] = [shown(name) for name in ("SubState", "Result", "ExecMainStatus")]
    found["removed"] = keyturn("service", "remove").returncode
    found["left"] = (units / UNIT_NAME).exists()
    return found


if __name__ == "__main__":
    main(sys.argv[1])
