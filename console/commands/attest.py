"""`keyturn attest`: each control of an account, its rule, and whether it holds at twice the busiest day's load."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from console.commands.assembly.host import Host
from console.commands.assembly.settings import settings_of
from console.commands.assembly.tables import checked_folder, write_result
from console.commands.shared import (
    Account,
    AsJson,
    PageFile,
    TablesFolder,
    checked_page,
    counted,
    host_of,
    print_json,
    say,
    write_page,
)
from core.model.session import HOME
from state.files import AccountFolder, JournalFolder

if TYPE_CHECKING:
    from core.post_mortem.missed_trades import Trip
    from core.runtime.attest.report import Attested, Load, Reading, Row, Watch
    from core.settings.settings import Settings


def attest(
    context: typer.Context,
    account: Account = None,
    without_run: Annotated[
        bool, typer.Option("--no-run", help="Skip the simulated session; no control is tried.")
    ] = False,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the simulated session; the same seed gives the same run.")
    ] = 1,
    html: PageFile = None,
    csv: TablesFolder = None,
    as_json: AsJson = False,
) -> None:
    """Print each control: the rule that asks for it, its setting, its last trip, its test, and whether it holds.

    A run plays one session on a separate simulated exchange, in a temporary folder, with twice as many messages as the
    account's busiest day of six months. It tries each control with an order that it must stop, and with an exit that
    must pass. The account is not touched; its engine may run meanwhile.

    Exits with 1 if a control did not hold, or is off although a rule asks for it.

    Example: keyturn attest --html controls.html
    """
    from core.runtime.attest.report import Load, busiest_in_words, rows_of

    host = host_of(context)
    checked_page(html)
    checked_folder(csv)
    folder = _account(host, account)
    reading, settings, whence = _read(host, folder)
    busiest = reading.busiest()
    if busiest is None:
        many, of = _demos_day()
    else:
        many, of = busiest.messages, busiest_in_words(busiest)
    attested = None if without_run else _run(settings, 2 * many, seed)
    load = Load(of, attested.messages if attested is not None else None)
    rows = rows_of(settings, reading, attested)
    if html is not None:
        from core.analytics.presentation import attestation_page

        cells, fails = [_cells(row) for row in rows], [row.fails for row in rows]
        write_page(html, attestation_page(cells, fails, _over(folder, whence, load)))
    result = [row.as_json(load) for row in rows]
    if csv is not None:
        write_result(csv, result)
    if as_json:
        print_json(result)
    else:
        _show(rows, _over(folder, whence, load))
        for path in (html, csv):
            if path is not None:
                say(f"written: {path}")
    raise typer.Exit(int(any(row.fails for row in rows)))


# ── inputs ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _account(host: Host, name: str | None) -> AccountFolder | None:
    """Return the account; None if no engine ran here yet and no account was named."""
    from state.accounts import whole_account
    from state.running_engine import last_account

    is_there = name is not None or last_account(host.home) is not None
    return whole_account(host.home, name) if is_there else None


def _read(host: Host, folder: AccountFolder | None) -> tuple[Reading, Settings, str]:
    """Return the account's journal, and its settings: those of its engine, otherwise those of the file."""
    from core.facts import SettingsApplied
    from core.ports import Recorded
    from core.runtime.attest.report import read_of
    from state.journal import read

    applied: list[Settings] = []

    def heard() -> Iterator[Recorded]:
        for record in read(folder.journal) if folder is not None and folder.journal.is_dir() else ():
            if isinstance(record.fact, SettingsApplied):
                applied[:] = [record.fact.settings]
            yield record

    reading: Reading = read_of(heard(), HOME.day_of)
    if applied:
        return reading, applied[0], "those that its engine applied last"
    return reading, settings_of(host), "those of the settings file"


def _demos_day() -> tuple[int, str]:
    """Return the load without a recorded session: a day of the demo's market, with a quote a second of each symbol."""
    from core.runtime.attest.report import QUOTES_A_BAR
    from core.runtime.demo import BOUGHT, TRADED

    symbols = len(TRADED) + len(BOUGHT)
    many = symbols * HOME.session_minutes * (1 + QUOTES_A_BAR)
    return many, f"no session is recorded; a day of the demo's market: {many:,} messages ({symbols} symbols)"


def _run(settings: Settings, many: int, seed: int) -> Attested:
    """Run the attestation in a temporary folder."""
    from core.runtime.attest.report import attested
    from state.journal import FileJournal

    with (
        TemporaryDirectory(prefix="keyturn-attest-") as home,
        closing(FileJournal(JournalFolder(Path(home)))) as journal,
        _progress() as watch,
    ):
        return attested(settings, many, journal, seed=seed, watch=watch)


@contextmanager
def _progress() -> Iterator[Watch]:
    """Show a progress bar, only on a terminal: scripts read the output."""
    if not sys.stderr.isatty():
        yield lambda _done, _whole: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("one session", total=None)
        yield lambda done, whole: progress.update(bar, completed=done, total=whole)


# ── output ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _over(folder: AccountFolder | None, whence: str, load: Load) -> tuple[str, ...]:
    name = "none yet" if folder is None else folder.name
    run = (
        "no run: --no-run"
        if load.messages is None
        else f"run: {load.messages:,} messages in one session, for twice the busiest day; {load.of}"
    )
    return f"account {name}, settings: {whence}", run


def _cells(row: Row) -> Mapping[str, str]:
    """Return the cells of a row by column; times by the venue's clock."""
    from core.analytics.presentation import HEAD
    from core.risk.controls import WORDS

    told = "never in this journal" if row.last_trip is None else _told(row.last_trip)
    if row.last_warning is not None and row.last_warning != row.last_trip:
        told = f"{told}; last warning {_told(row.last_warning)}"
    rules = "; ".join(f"{rule} ({WORDS[rule]})" if rule in WORDS else rule for rule in row.control.rules)
    tested = row.tested
    run = f"{row.result}: {tested.why}" + (f"; tried with {tested.order}" if tested.order else "")
    settings = ", ".join(f"{key} = {value}" for key, value in row.settings.items())
    cells = (
        row.control.name,
        rules or row.control.rule,
        settings or "none",
        row.on,
        told,
        run,
        row.control.test,
    )
    return dict(zip(HEAD, cells, strict=True))


def _told(trip: Trip) -> str:
    return f"{HOME.local(trip.at):%Y-%m-%d %H:%M:%S} {HOME.name}, {trip.kind.value}: {trip.words}"


def _show(rows: Sequence[Row], over: Sequence[str]) -> None:
    for line in over:
        say(line)
    for row in rows:
        cells = _cells(row)
        say("")
        say(f"{row.control.name}: {row.on}, {row.result}{'  <<<' if row.fails else ''}")
        for head in ("rule", "setting", "last trip", "run", "test"):
            say(f"  {head:<10} {cells[head]}")
    say("")
    say(_in_all(rows))


def _in_all(rows: Sequence[Row]) -> str:
    from core.runtime.attest.report import Result

    held = sum(row.tested.result is Result.HELD for row in rows)
    off = sum(not row.is_on for row in rows)
    failed = [row.control.name for row in rows if row.fails]
    rest = f"; not as they should be: {', '.join(failed)}" if failed else ""
    not_tried = sum(row.tested.result is Result.NOT_TRIED for row in rows)
    return f"{counted(len(rows), 'control')}: {held} held, {not_tried} not tried, {off} off{rest}"
