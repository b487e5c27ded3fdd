"""The file layout, operations on files that this package shares, and reading TOML files of the operator.

File operations shared by this package: open files privately, replace them atomically, sync a folder.
Nothing here depends on a file's content.

Without `KEYTURN_HOME` the XDG folders are used: `~/.config/keyturn/settings.toml` and
`~/.local/state/keyturn/<account>/`. With it, one folder holds everything: `<home>/settings.toml` and
`<home>/state/<account>/`. Folders are 0700 and files 0600; wider permissions are repaired and reported.

A fault is reported with its line or key. Otherwise a recursive parser would fail with its own error, and a number with
a billion digits would take hours.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from decimal import Decimal
from errno import EPERM
from functools import lru_cache
from pathlib import Path

import platformdirs

from core.files.regular_file import OddFileError, TooLargeError, bytes_of, open_regular
from core.model.lazy_dataclass import dataclass
from core.ports import OperatorError

FILE_MODE = 0o600
FOLDER_MODE = 0o700
DAILY = "daily"
"""The operator's folder of daily files, beside the settings."""
FILES = 64
"""Files that one process replaces again and again."""


def make_folder(path: Path) -> str | None:
    """Make `path` a private folder (0700), as each missing folder above it. Return a description of a repair, or None.

    A folder that was made here is no repair, also where its file system made it wider. A folder of another user raises
    PermissionError: its owner could read and swap everything in it.
    """
    missing = [each for each in (path, *path.parents) if not each.exists()]
    for each in (*reversed(missing), path):  # a file in its place raises FileExistsError
        each.mkdir(mode=FOLDER_MODE, exist_ok=True)
    mended = mend_permissions(path, FOLDER_MODE)
    return None if path in missing else mended


def mend_permissions(path: Path, mode: int) -> str | None:
    """Remove every permission beyond `mode`; return a description of the repair, or None."""
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise PermissionError(EPERM, "it belongs to another user; move it away, or run as its owner", str(path))
    wide = stat.S_IMODE(found.st_mode)
    if not wide & ~mode & 0o777:
        return None
    path.chmod(wide & mode)
    return f"{path.name}: permissions {wide:04o} were too wide, now {wide & mode:04o}"


def open_private(path: Path, flags: int) -> int:
    """Open a regular file for the owner alone (0600); a pipe or a device in its place is refused. Raises OSError."""
    return open_regular(path, flags, FILE_MODE)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Add this path to a disk error without a file name: errors of write and sync have none."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = str(path)
        raise


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of `content`; a short write is continued. Raises OSError."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(path: Path) -> None:
    """Return when the names in a folder are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with naming(path):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


@lru_cache(FILES)
def _beside(path: Path) -> Path:
    """Return the path of the new content, the same object each time: `pathlib` interns every name that it makes, and
    the interpreter's table of these grows with each one that comes and goes.
    """
    return path.with_name(f".{path.name}.new")


def replace_file(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Replace `path` by `content` atomically: a reader sees the old file or the new one, complete.

    With `durable` it also survives a power cut: the file is synced before the rename, and its folder after it.
    """
    temporary = _beside(path)
    descriptor = open_private(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        with naming(path):
            write_all(descriptor, content)
            if durable:
                os.fsync(descriptor)
    except OSError:
        temporary.unlink(missing_ok=True)  # a full disk needs the space elsewhere
        raise
    finally:
        os.close(descriptor)
    temporary.replace(path)
    if durable:
        sync_folder(path.parent)


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
    def views_socket(self) -> Path:
        """The socket of a running demo, for programs that are shown its desk."""
        return self.path / "views.sock"

    @property
    def agents_socket(self) -> Path:
        """The socket for agents of the running engine."""
        return self.path / "agents.sock"

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
            # Refuse a sticky folder, such as /tmp: restricting it would lock other users out.
            if folder.is_dir() and folder.stat().st_mode & stat.S_ISVTX:
                raise SharedFolderError(f"{folder} is a folder for everybody; name one of your own as KEYTURN_HOME")
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
    def bars(self) -> Path:
        """The folder of bars that `keyturn bars` writes, and that research reads."""
        return self.of_the_operator("bars")

    @property
    def bar_folders(self) -> tuple[Path, ...]:
        """The folders with bars that there are, `bars` first; `daily` is the older one, of the operator's own files."""
        return tuple(folder for folder in (self.bars, self.of_the_operator(DAILY)) if folder.is_dir())

    @property
    def guide(self) -> Path:
        """Exists once the guide of the first start was read."""
        return self.state / "guide-read"

    @property
    def chord(self) -> Path:
        """Exists once the kill chord was received."""
        return self.state / "chord-received"

    def mcp_token(self, agent: str) -> Path:
        """The token that callers of an agent's server send; its name is not a valid account name."""
        return self.state / f".mcp-{agent}.token"

    @property
    def vix(self) -> Path:
        """The last VIX value, shared by all accounts and processes of this home."""
        return self.state / "vix.json"

    @property
    def vix_now(self) -> Path:
        """The last VIX value in the day, shared likewise."""
        return self.state / "vix-now.json"

    @property
    def watchdog_terms(self) -> Path:
        """The last `[notify]` settings, for a watchdog that cannot read the settings."""
        return self.state / "watchdog-terms.json"

    @property
    def watchdog_owed(self) -> Path:
        """The folder of alerts with pending deliveries; its name is not a valid account name."""
        return self.state / ".watchdog-owed"

    @property
    def sweeps(self) -> Path:
        """The folder of parameter sweeps, shared by all accounts; its name is not a valid account name."""
        return self.state / ".sweeps"

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

        Raises AccountNameError: the name could lead out of the state folder, or be hidden in it.
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


LARGEST = 1_000_000
"""The maximum size of a settings file in bytes; a complete one is forty times smaller."""
LONGEST_LINE = 20_000
"""Characters: enough for five hundred symbols."""
DEEPEST = 16
"""The maximum nesting of tables and lists; the settings themselves have four levels."""
TOO_DEEP = "lists and tables stand in each other too deep; write it flat"
LONGEST_NUMBER = 18
"""Digits before or after the decimal point."""

KeyPath = tuple[str, ...]

_TOKEN = re.compile(
    r'#[^\n]*|"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|[\[\]{}\n]',
    re.DOTALL,
)


class TomlError(ValueError):
    """Text that is not TOML; the message names the line and the fault."""


class UnreadableTomlError(TomlError):
    """Text that may be TOML, but is too large, too deep or too long."""


def toml_of(text: str) -> dict[str, object]:
    """Return the tables of a text, with exact numbers. Raises `TomlError`."""
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > LONGEST_LINE:
            raise UnreadableTomlError(
                f"line {number} has {len(line):,} characters, {LONGEST_LINE:,} at most are read; break it up"
            )
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise TomlError(str(error)) from None
    except RecursionError:
        raise UnreadableTomlError(f"line {_deep_line(text)}: {TOO_DEEP}") from None
    except ValueError as error:  # a number that Python itself refuses
        raise UnreadableTomlError(f"a number in it is too long ({error}); shorten it") from None


def odd_value(values: Mapping[str, object]) -> tuple[KeyPath, str] | None:
    """Return the key of the first value that no setting can have, with the reason; otherwise None. Not recursive."""
    waiting: list[tuple[KeyPath, object]] = [((), values)]
    while waiting:
        path, value = waiting.pop()
        if len(path) > DEEPEST:
            return path[:DEEPEST], TOO_DEEP
        if isinstance(value, Mapping | list):
            waiting.extend(((*path, key), inner) for key, inner in reversed(list(_items(value))))
        elif _is_out_of_hand(value):
            return path, f"a number has {LONGEST_NUMBER} digits at most, before its point and behind it"
    return None


def _items(value: Mapping[str, object] | list[object]) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        yield from value.items()
    else:
        yield from ((str(place), inner) for place, inner in enumerate(value))


def _is_out_of_hand(value: object) -> bool:
    if isinstance(value, Decimal) and value.is_finite():
        return not -LONGEST_NUMBER <= value.adjusted() < LONGEST_NUMBER or _decimals(value) > 2 * LONGEST_NUMBER
    return isinstance(value, int) and abs(value) >= 10**LONGEST_NUMBER


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return abs(exponent) if isinstance(exponent, int) else 0


def _deep_line(text: str) -> int:
    """Return the line where the brackets are first nested too deeply; otherwise the last line."""
    line, depth = 1, 0
    for found in _TOKEN.finditer(text):
        token = found[0]
        line += token.count("\n")
        depth += token in ("[", "{")
        depth -= token in ("]", "}")
        if depth > DEEPEST:
            return line
    return line


def tables_of(path: Path, what: str, error: type[OperatorError]) -> dict[str, object]:
    """Return the tables of the file, empty without a file; `what` is its subject in messages. Raises `error`."""
    try:
        return toml_of(bytes_of(path, LARGEST).decode("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OddFileError, TooLargeError) as odd:
        raise error(f"{path}: {odd.strerror}") from None
    except IsADirectoryError:
        raise error(f"{path} is a folder; move it away, and write the {what} into a file") from None
    except OSError as failed:
        raise error(f"{path} cannot be read: {failed.strerror}; check its permissions") from failed
    except UnicodeDecodeError as odd:
        raise error(f"{path.name}: byte {odd.start} is no UTF-8 text; save the file as UTF-8") from None
    except TomlError as odd:
        raise error(f"{path.name}: {odd}") from None
