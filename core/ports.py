"""What the core needs from outside. The rooms that implement these know the disk and the screen; the core does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:  # the command line needs these words before the first paint, and facts bring pydantic
    from core.facts import Fact
    from core.model.values import ClientOrderId
    from core.risk.protections.base import Answer
    from core.risk.regime.report import Look


class JournalError(Exception):
    """A journal that could not be read or written; the message names file, line and what to do."""


class JournalWriteError(JournalError):
    """A write or a sync failed: nothing that rests on it may leave (SP-06)."""


class JournalDamagedError(JournalError):
    """The chain does not hold at a place; nothing after it is believed (SP-01)."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A fact as it stands in the journal."""

    sequence: int
    at: datetime
    fact: Fact


NO_INDEX = "-"
"""The sum of past orders where documents were written before any index of them was kept."""


class PastIndex(Protocol):
    """Where orders that left memory are. It follows from the journal alone, and is made anew where it is missing."""

    def keep(self, number: int, order_id: ClientOrderId, content: bytes, total: str) -> None:
        """Take one in, in the place of what had its number before. `total` is the sum of all up to it."""
        ...

    def find(self, order_id: ClientOrderId, until: int) -> bytes | None:
        """What was kept last of that name, by a number up to `until`. Raises `JournalError`."""
        ...

    def covers(self, number: int, total: str) -> bool:
        """Whether it holds all up to this number, with this sum."""
        ...

    def save(self) -> None:
        """Return when all of it is on the disk. Raises OSError."""
        ...


class Journal(Protocol):
    """The append-only record (SP-01). One writer."""

    @property
    def sequence(self) -> int:
        """Sequence number of the last record; 0 where there is none."""
        ...

    @property
    def last_at(self) -> datetime:
        """Time of the last record; the beginning of time where there is none."""
        ...

    @property
    def past(self) -> PastIndex:
        """Where orders that left memory are found again by name."""
        ...

    def append(self, at: datetime, fact: Fact) -> int:
        """Write one record and return its sequence number. Raises `JournalWriteError`."""
        ...

    def flush(self) -> None:
        """Hand what was appended to the operating system, without waiting for the disk. Raises `JournalWriteError`."""
        ...

    def sync(self) -> None:
        """Return when everything appended is on the disk. Raises `JournalWriteError`."""
        ...

    def records(self, after: int = 0) -> Iterator[Recorded]:
        """Every record with a sequence number above `after`, in order. Raises `JournalDamagedError`."""
        ...

    def backwards(self) -> Iterator[Recorded]:
        """Every record, the newest first, read no further than it is asked for; the chain is not checked.

        Raises `JournalDamagedError`, OSError.
        """
        ...


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state documents as they were after the fact with this sequence number."""

    sequence: int
    documents: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class NoCheckpoint:
    """There is none to start from, and why; the journal alone is. `sequence` is the last record that is known to have
    been there.
    """

    reason: str
    sequence: int = 0


class Documents(Protocol):
    """The state documents (SP-02). Plain JSON values, one document a slice."""

    def load(self) -> Checkpoint | NoCheckpoint:
        """The newest sound checkpoint."""
        ...

    def save(self, checkpoint: Checkpoint) -> None:
        """Replace the documents, atomically. Raises OSError."""
        ...


class KillSwitch(Protocol):
    """The latch outside the journal: a file, or the environment (OP-08)."""

    def is_on(self) -> str | None:
        """The door that holds it shut (`file`, `environment`), or None."""
        ...

    def latch(self, by: str) -> None:
        """Write the file. Raises OSError."""
        ...

    def release(self) -> None:
        """Remove the file. Raises OSError."""
        ...


# ── what the command line asks of the composition root ───────────────────────────────────────────────────────────────


class OperatorError(Exception):
    """Something that the operator can mend; the message says in one line what, and what to do next."""


class Chosen(str):
    """An override, KEY=VALUE in TOML, that an option of its own gave: an error names that option, not `--set`."""

    option: str

    def __new__(cls, text: str, option: str = "--set") -> Self:
        made = super().__new__(cls, text)
        made.option = option
        return made


@dataclass(frozen=True, slots=True)
class RegimeFiles:
    """Daily figures that the regime of what is played is measured by: the VIX, and the market's bars (RK-19).

    None leaves that part unknown.
    """

    vix: Path | None = None
    market: Path | None = None


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """`keyturn replay`: files to play, and how. `speed` None is as fast as it can.

    `strategies` are those that look at the bars; none named: those that the settings turn on. `deadlines` is the folder
    of a journal that tells who was too slow for which bar (MD-05); without one that is as it comes.
    """

    files: tuple[Path, ...]
    symbols: tuple[str, ...] = ()
    quotes: tuple[Path, ...] = ()
    overrides: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    speed: float | None = None
    operator: str = "none"
    journal_folder: Path | None = None
    deadlines: Path | None = None
    is_headless: bool = True
    regime: RegimeFiles = RegimeFiles()


Watch = Callable[[str, int, int], None]
"""Hears how far a long work is: of what, how much is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class BacktestRequest:
    """`keyturn backtest`: files, each played for itself, and by what.

    Attributes
    ----------
    symbol
        Of a file whose name does not begin with one; None where it does.
    has_frictions
        Whether slippage, partial fills, rejections, halts and interest lie in the way, as far as nothing else is set.
    seed
        Decides what goes wrong, and when.
    tables_folder, page_file
        Where CSV tables and an HTML page are written; None writes none.
    """

    files: tuple[Path, ...]
    strategy: str | None = None
    symbol: str | None = None
    overrides: tuple[str, ...] = ()
    has_frictions: bool = True
    seed: int = 1
    tables_folder: Path | None = None
    page_file: Path | None = None
    regime: RegimeFiles = RegimeFiles()


@dataclass(frozen=True, slots=True)
class DemoRequest:
    """`keyturn demo`: the seeded market on the simulated exchange; with `is_stress` the stress desk."""

    seed: int = 1
    speed: float = 1.0
    operator: str = "none"
    overrides: tuple[str, ...] = ()
    is_headless: bool = False
    is_stress: bool = False
    regime: RegimeFiles = RegimeFiles()


@dataclass(frozen=True, slots=True)
class RegimeRequest:
    """`keyturn regime`: files of daily figures instead of the source, and which of their changes are wanted.

    `vix` None asks the source, or what is remembered of it; `bars` None leaves the market unknown.
    """

    vix: Path | None = None
    bars: Path | None = None
    since: date | None = None
    until: date | None = None
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StrategyListing:
    """One strategy: its name, whether the settings turn it on, `the house` or its file, and why it is refused.

    Attributes
    ----------
    left_open
        What this system does not deny the process in which one of the user's runs.
    """

    name: str
    is_on: bool
    source: str
    faults: tuple[str, ...]
    left_open: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `keyturn doctor` looked at: what it found, and what to do where it is not well."""

    name: str
    ok: bool
    detail: str
    remedy: str


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """`keyturn state restore`: what it would do, for the operator to agree to.

    Attributes
    ----------
    records, ends_at
        Of the archive's journal.
    present, lost
        Records that are there now, and those of them that the archive does not hold.
    killed_by
        Who killed, here or in the archive; it stays.
    has_exchange
        The simulated exchange is restored with the journal; else the broker's books are as they are.
    """

    account: str
    archive: str
    records: int
    ends_at: datetime
    present: int
    lost: int
    killed_by: str | None
    has_exchange: bool


@dataclass(frozen=True, slots=True)
class ResetPlan:
    """`keyturn state reset`: what it would do, for the operator to agree to. A kill stays."""

    account: str
    present: int
    killed_by: str | None


class Composition(Protocol):
    """What the subcommands may ask for. Each raises `OperatorError` where the operator can mend something."""

    def release(self) -> str: ...
    def replay(self, request: ReplayRequest) -> dict[str, object] | None: ...
    def backtest(self, request: BacktestRequest, watch: Watch) -> list[dict[str, object]]: ...
    def demo(self, request: DemoRequest) -> None: ...
    def desk(self) -> None: ...
    def doctor(self) -> Iterator[Finding]: ...
    def status(self, account: str | None) -> dict[str, object]: ...
    def kill(self, account: str | None, flatten: bool) -> str: ...
    def plan(self, account: str | None, name: str, text: str, deploy: Decimal | None) -> str: ...
    def latency(self, account: str | None, folder: Path | None, day: date | None) -> dict[str, object]: ...
    def reconcile(self, account: str | None, accept: bool) -> dict[str, object]: ...
    def protections(self, trades: Path, at: datetime, overrides: tuple[str, ...]) -> tuple[Answer, ...]: ...
    def regime(self, request: RegimeRequest) -> Look: ...
    def strategies(self, overrides: tuple[str, ...]) -> tuple[StrategyListing, ...]: ...
    def check_strategy(self, what: str, overrides: tuple[str, ...]) -> StrategyListing: ...
    def new_strategy(self, name: str) -> Path: ...
    def verify(self, account: str | None, folder: Path | None) -> dict[str, object]: ...
    def tail(self, account: str | None, folder: Path | None, count: int, follow: bool) -> Iterator[Recorded]: ...
    def why(self, account: str | None, folder: Path | None, order: str) -> Iterator[Recorded]: ...
    def show(self, account: str | None) -> dict[str, object]: ...
    def backup(self, account: str | None, target: Path | None) -> Path: ...
    def restore(
        self,
        account: str | None,
        archive: Path,
        agree: Callable[[RestorePlan], bool],
        watch: Callable[[float], None],
    ) -> dict[str, object] | None: ...
    def reset(self, account: str | None, agree: Callable[[ResetPlan], bool]) -> dict[str, object] | None: ...
