"""Where things live. One home for the operator, in it one folder an account; every file of ours is named here.

Without `KEYTURN_HOME` the XDG folders hold them: `~/.config/keyturn/settings.toml` and
`~/.local/state/keyturn/<account>/`. With it, one folder holds everything: `<home>/settings.toml` and
`<home>/state/<account>/`. Folders are 0700 and files 0600; wider permissions are mended, and told.
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
    """A name that cannot be the name of an account's folder."""


class SharedFolderError(OperatorError):
    """A folder that other users need too, chosen for what must be the operator's alone."""


@dataclass(frozen=True, slots=True)
class AccountFolder:
    """Everything that one account keeps on the disk. Only `prepare` touches it.

    Attributes
    ----------
    above
        The operator's folders that it lies in, outermost first; `prepare` makes and mends them too.
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
        """The folder of what a restore or a reset found there and kept."""
        return self.path / "archives"

    @property
    def past_orders(self) -> Path:
        """The index of orders that have left memory."""
        return self.path / "past-orders.db"

    @property
    def heads(self) -> Path:
        """The chain of the days that were signed."""
        return self.path / "heads.jsonl"

    @property
    def stamps(self) -> Path:
        """The folder of what a service of time stamps answered about a head."""
        return self.path / "stamps"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @property
    def kill_switch(self) -> Path:
        return self.path / ".kill_switch"

    @property
    def plan_request(self) -> Path:
        """A basket that a command hands to the running engine."""
        return self.path / "plan.request"

    @property
    def heartbeat(self) -> Path:
        return self.path / "heartbeat"

    @property
    def engine_socket(self) -> Path:
        """Where desks reach the engine that runs."""
        return self.path / "engine.sock"

    @property
    def watchdog_lock(self) -> Path:
        """Held by the watchdog over this account's engine, and names it."""
        return self.path / "watchdog.lock"

    @property
    def halt_request(self) -> Path:
        """A halt that was left for the next start."""
        return self.path / "halt.request"

    @property
    def threads(self) -> Path:
        """What every thread of the engine did when it was asked last."""
        return self.logs / "threads.txt"

    @property
    def watchdog_log(self) -> Path:
        return self.logs / "watchdog.log"

    @property
    def started_with(self) -> Path:
        """The `--set` of the last start, and the names of its variables."""
        return self.path / "started-with.json"

    @property
    def exchange(self) -> Path:
        """The request log of the simulated exchange."""
        return self.path / "exchange.jsonl"

    @property
    def runs(self) -> Path:
        """How runs on the simulated exchange began, and what came from outside."""
        return self.path / "runs.ndjson"

    @property
    def logs(self) -> Path:
        """The folder of what a running engine logs; it makes the folder itself."""
        return self.path / "logs"

    @property
    def log(self) -> Path:
        """The log that is written now; what was before it lies beside it."""
        return self.logs / "engine.jsonl"

    def prepare(self) -> tuple[str, ...]:
        """Make the folders, and mend permissions that are too wide. Returns what was mended, in words."""
        folders = (self.path, self.journal, self.backups, self.stamps, self.archives, self.logs)
        for folder in self.above:
            _refuse_shared(folder)
        mended = [make_folder(folder) for folder in (*self.above, *folders)]
        files = (file for folder in folders for file in sorted(folder.iterdir()) if file.is_file())
        mended += [mend_permissions(file, FILE_MODE) for file in files]
        return tuple(words for words in mended if words)


@dataclass(frozen=True, slots=True)
class JournalFolder(AccountFolder):
    """A folder that holds a journal's segments and nothing else: a replay's."""

    @property
    def journal(self) -> Path:
        return self.path


@dataclass(frozen=True, slots=True)
class Home:
    """The operator's settings file, and the folder that holds one folder an account."""

    settings: Path
    state: Path

    @property
    def own(self) -> tuple[Path, ...]:
        """The folders that are Keyturn's alone."""
        return (self.settings.parent, self.state)

    def of_the_operator(self, folder: str) -> Path:
        """A folder beside the settings: the presets for stop and target, the layouts or the watchlists, a file each."""
        return self.settings.parent / folder

    @property
    def guide(self) -> Path:
        """There once the guide of the first start was read."""
        return self.state / "guide-read"

    @property
    def chord(self) -> Path:
        """There once the kill chord has arrived."""
        return self.state / "chord-received"

    @property
    def vix(self) -> Path:
        """The last VIX, for every account and process of this home."""
        return self.state / "vix.json"

    @property
    def watchdog_terms(self) -> Path:
        """The `[notify]` by which a watchdog tells a person where the settings cannot be read."""
        return self.state / "watchdog-terms.json"

    @property
    def watchdog_owed(self) -> Path:
        """The folder of alerts that have not reached everybody; its name is none that an account could have."""
        return self.state / ".watchdog-owed"

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Home:
        """`KEYTURN_HOME` where it is set, else the XDG folders."""
        if chosen := environ.get("KEYTURN_HOME"):
            home = Path(chosen).expanduser().absolute()
            return cls(home / "settings.toml", home / "state")
        config = environ.get("XDG_CONFIG_HOME") or platformdirs.user_config_path().as_posix()
        state = environ.get("XDG_STATE_HOME") or platformdirs.user_state_path().as_posix()
        return cls(Path(config) / "keyturn" / "settings.toml", Path(state) / "keyturn")

    def account(self, name: str) -> AccountFolder:
        """The folder of an account, which need not be there yet.

        Raises
        ------
        AccountNameError
            Where the name could lead out of the state folder, or hide in it.
        """
        if not ACCOUNT_NAME.fullmatch(name):
            raise AccountNameError(
                f"{name!r} cannot be an account's name: letters, digits, '.', '_' and '-', at most 64, "
                "the first a letter or a digit"
            )
        return AccountFolder(self.state / name, self.own)

    def accounts(self) -> Iterator[AccountFolder]:
        """Every account that has a folder, by name."""
        if not self.state.is_dir():
            return
        for path in sorted(self.state.iterdir()):
            if path.is_dir() and ACCOUNT_NAME.fullmatch(path.name):
                yield AccountFolder(path, self.own)


def _refuse_shared(folder: Path) -> None:
    """A sticky folder is for everybody, as /tmp is: to close it would lock the others out."""
    if folder.is_dir() and folder.stat().st_mode & stat.S_ISVTX:
        raise SharedFolderError(f"{folder} is a folder for everybody; name one of your own as KEYTURN_HOME")
