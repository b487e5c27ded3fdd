"""The file layout: one home for the operator, with a folder per account; every file of ours is named here.

Without `KEYTURN_HOME` the XDG folders are used: `~/.config/keyturn/settings.toml` and
`~/.local/state/keyturn/<account>/`. With it, one folder holds everything: `<home>/settings.toml` and
`<home>/state/<account>/`. Folders are 0700 and files 0600; wider permissions are repaired and reported.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from core.ports import OperatorError
from state.files import FILE_MODE, make_folder, mend_permissions

ACCOUNT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class AccountNameError(OperatorError):
    """A name that is not valid for an account's folder."""


class SharedFolderError(OperatorError):
    """A shared folder that was chosen for the operator's private files."""


@dataclass(frozen=True, slots=True)
class AccountFolder:
    """The files of one account. Only `prepare` accesses the disk.

    Attributes
    ----------
    above
        The operator's folders that contain it, outermost first; `prepare` creates and repairs them too.
    """

    path: Path
    above: tuple[Path, ...] = field(default=(), compare=False)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def journal(self) -> Path:
        """The folder of the journal's segments."""
        return self.path / "journal"

    @property
    def documents(self) -> Path:
        return self.path / "documents.json"

    @property
    def backups(self) -> Path:
        """The folder of the documents' last versions."""
        return self.path / "backups"

    @property
    def archives(self) -> Path:
        """The folder of the archives that a restore or a reset made of the old state."""
        return self.path / "archives"

    @property
    def past_orders(self) -> Path:
        """The index of orders that are no longer in memory."""
        return self.path / "past-orders.db"

    @property
    def heads(self) -> Path:
        """The chain of signed daily heads."""
        return self.path / "heads.jsonl"

    @property
    def stamps(self) -> Path:
        """The folder of the time-stamp answers."""
        return self.path / "stamps"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @property
    def kill_switch(self) -> Path:
        return self.path / ".kill_switch"

    @property
    def plan_request(self) -> Path:
        """A basket passed by a command to the running engine."""
        return self.path / "plan.request"

    @property
    def heartbeat(self) -> Path:
        return self.path / "heartbeat"

    @property
    def engine_socket(self) -> Path:
        """The socket for desks of the running engine."""
        return self.path / "engine.sock"

    @property
    def watchdog_lock(self) -> Path:
        """Held by the watchdog of this account's engine; names its process."""
        return self.path / "watchdog.lock"

    @property
    def halt_request(self) -> Path:
        """A halt left for the next start."""
        return self.path / "halt.request"

    @property
    def threads(self) -> Path:
        """The stack traces of all engine threads at the last request."""
        return self.logs / "threads.txt"

    @property
    def watchdog_log(self) -> Path:
        return self.logs / "watchdog.log"

    @property
    def started_with(self) -> Path:
        """The `--set` options of the last start, and the names of its variables."""
        return self.path / "started-with.json"

    @property
    def exchange(self) -> Path:
        """The request log of the simulated exchange."""
        return self.path / "exchange.jsonl"

    @property
    def runs(self) -> Path:
        """The records of runs on the simulated exchange: their start and their external inputs."""
        return self.path / "runs.ndjson"

    @property
    def logs(self) -> Path:
        """The folder of the engine's logs; the engine creates it itself."""
        return self.path / "logs"

    @property
    def log(self) -> Path:
        """The current log; older ones are beside it."""
        return self.logs / "engine.jsonl"

    def prepare(self) -> tuple[str, ...]:
        """Create the folders and repair permissions that are too wide. Return descriptions of the repairs."""
        folders = (self.path, self.journal, self.backups, self.stamps, self.archives, self.logs)
        for folder in self.above:
            _refuse_shared(folder)
        mended = [make_folder(folder) for folder in (*self.above, *folders)]
        files = (file for folder in folders for file in sorted(folder.iterdir()) if file.is_file())
        mended += [mend_permissions(file, FILE_MODE) for file in files]
        return tuple(words for words in mended if words)


@dataclass(frozen=True, slots=True)
class JournalFolder(AccountFolder):
    """A folder that holds only a journal's segments, such as a replay's."""

    @property
    def journal(self) -> Path:
        return self.path


@dataclass(frozen=True, slots=True)
class Home:
    """The operator's settings file, and the folder of the accounts' folders."""

    settings: Path
    state: Path

    @property
    def own(self) -> tuple[Path, ...]:
        """The folders that are Keyturn's alone."""
        return (self.settings.parent, self.state)

    def of_the_operator(self, folder: str) -> Path:
        """A folder beside the settings, with a file for each preset, layout or watchlist."""
        return self.settings.parent / folder

    @property
    def guide(self) -> Path:
        """Exists once the guide of the first start was read."""
        return self.state / "guide-read"

    @property
    def chord(self) -> Path:
        """Exists once the kill chord was received."""
        return self.state / "chord-received"

    @property
    def vix(self) -> Path:
        """The last VIX value, shared by all accounts and processes of this home."""
        return self.state / "vix.json"

    @property
    def watchdog_terms(self) -> Path:
        """The last `[notify]` settings, for a watchdog that cannot read the settings."""
        return self.state / "watchdog-terms.json"

    @property
    def watchdog_owed(self) -> Path:
        """The folder of alerts with pending deliveries; its name is not a valid account name."""
        return self.state / ".watchdog-owed"

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Home:
        """Return the home at `KEYTURN_HOME` if set, otherwise in the XDG folders."""
        if chosen := environ.get("KEYTURN_HOME"):
            home = Path(chosen).expanduser().absolute()
            return cls(home / "settings.toml", home / "state")
        config = environ.get("XDG_CONFIG_HOME") or platformdirs.user_config_path().as_posix()
        state = environ.get("XDG_STATE_HOME") or platformdirs.user_state_path().as_posix()
        return cls(Path(config) / "keyturn" / "settings.toml", Path(state) / "keyturn")

    def account(self, name: str) -> AccountFolder:
        """Return the folder of an account, which need not exist.

        Raises
        ------
        AccountNameError
            The name could lead out of the state folder, or be hidden in it.
        """
        if not ACCOUNT_NAME.fullmatch(name):
            raise AccountNameError(
                f"{name!r} cannot be an account's name: letters, digits, '.', '_' and '-', at most 64, "
                "the first a letter or a digit"
            )
        return AccountFolder(self.state / name, self.own)

    def accounts(self) -> Iterator[AccountFolder]:
        """Yield every account that has a folder, by name."""
        if not self.state.is_dir():
            return
        for path in sorted(self.state.iterdir()):
            if path.is_dir() and ACCOUNT_NAME.fullmatch(path.name):
                yield AccountFolder(path, self.own)


def _refuse_shared(folder: Path) -> None:
    """Refuse a sticky folder, such as /tmp: restricting it would lock other users out."""
    if folder.is_dir() and folder.stat().st_mode & stat.S_ISVTX:
        raise SharedFolderError(f"{folder} is a folder for everybody; name one of your own as KEYTURN_HOME")
