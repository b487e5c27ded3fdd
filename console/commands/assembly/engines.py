"""The common parts of every account: the engine restored from its journal, its strategies, and its file keeper."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING
from uuid import uuid4

from console.commands.assembly.host import Host
from console.commands.assembly.settings import settings_of
from state.files import AccountFolder

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from core.engine import Engine
    from core.market.vix import NewestVix
    from core.messages.desk_commands import SettingsSource
    from core.model.api_contract import KeyNames
    from core.runtime.notifier.process import Notifier, Reports
    from core.runtime.notifier.reports import ReportMaker
    from core.runtime.simulated_exchange import PlayedFile
    from core.settings.service import NotifySettings
    from core.settings.settings import Settings
    from core.strategies.builtin import StrategyKinds
    from state.documents import CheckpointWriter
    from state.home_files import WatchlistFiles
    from state.housekeeping import Housekeeping
    from state.kill_switch import FileKillSwitch
    from state.proof.signing_key import DailySigning


def open_engine(
    host: Host,
    folder: AccountFolder,
    calendar: object,
    mode: object,
    stack: ExitStack,
    *,
    settings: Settings,
    is_kept: bool = True,
) -> tuple[Engine, CheckpointWriter]:
    """Return the engine restored from journal and documents, and what writes its checkpoints.

    With `is_kept` False its records do not reach the disk.
    """
    from core.engine import Engine
    from core.runtime.reconcile import Forgotten
    from core.trading_state import checkpoint
    from state.documents import CheckpointWriter, TinyDocuments, known_sequence
    from state.journal import FileJournal

    journal = stack.enter_context(closing(FileJournal(folder, known_sequence(folder))))
    documents = TinyDocuments(folder)
    kept = journal if is_kept else Forgotten(journal)
    kinds = strategy_kinds(host, settings)
    engine = Engine(folder.name, mode, calendar, kept, kinds)  # type: ignore[arg-type]
    encoder = checkpoint.CheckpointEncoder(engine.state)
    rebuilt = checkpoint.rebuild(engine.state, documents, encoder)
    engine.notes = (*journal.repairs, *documents.notes, *rebuilt)  # includes the notes from loading
    checkpoints = CheckpointWriter(encoder.encode, documents)
    stack.callback(checkpoints.join)  # nothing is written after the account's lock is released
    return engine, checkpoints


def keeper_of(
    host: Host,
    folder: AccountFolder,
    switch: FileKillSwitch,
    checkpoints: CheckpointWriter,
    overrides: tuple[str, ...] = (),
    left_out: tuple[str, ...] = (),
    sources: tuple[SettingsSource, ...] = (),
    lists: WatchlistFiles | None = None,
    signing: DailySigning | None = None,
) -> Housekeeping:
    """Return the housekeeping of a running engine.

    `overrides` are the options with which its settings were loaded, `left_out` those of its last start that this one
    lacks, `sources` the sources above the settings file, `lists` the operator's watchlists if the account has them, and
    `signing` the daily signing.
    """
    from core.views.builders.desk import word_of
    from state.home_files import EARNINGS, THESES
    from state.housekeeping import FileWatch, Housekeeping, SettingsWatch, earnings_seen, theses_seen
    from state.running_engine import Heartbeat
    from state.settings_file import sectors_file

    watch = SettingsWatch(
        host.home.settings,
        lambda: settings_of(host, overrides),
        left_out=left_out,
        sources=sources,
        beside=(sectors_file(host.home),),
    )
    files = tuple(
        FileWatch(host.home.of_the_operator(name), read)
        for name, read in ((THESES, theses_seen), (EARNINGS, earnings_seen))
    )
    return Housekeeping(folder, switch, checkpoints, Heartbeat(folder).beat, word_of, watch, lists, signing, files)


def signing_of(
    host: Host, folder: AccountFolder, settings: Settings, keys: Collection[KeyNames] = ()
) -> DailySigning | None:
    """Return the daily signing of finished days; None if the settings do not ask for it (SP-08).

    Its process gets no broker key: `keys` are the variables that would hold one.
    """
    from console.commands.assembly.host import own_program
    from core.io.wall_clock import utc_now
    from state.proof.signing_key import DailySigning

    if not settings.proof.sign_daily:
        return None
    kept_back = {name for names in keys for name in (names.key_id, names.secret)}
    environ = {name: value for name, value in host.environ.items() if name not in kept_back}
    return DailySigning(own_program("journal", "sign", "--account", folder.name), environ, utc_now)


def watchlists_of(host: Host) -> WatchlistFiles:
    """Return the watchlist files beside the settings, shared by all accounts of this home."""
    from state.home_files import FOLDER, WatchlistFiles

    return WatchlistFiles(host.home.of_the_operator(FOLDER))


def strategy_kinds(host: Host, settings: Settings, *, is_played: bool = False) -> StrategyKinds:
    """Return the strategies that a desk may run: built-in ones, and the user's valid ones in processes (ST-01).

    When played, a bar waits until its strategy's process is ready.
    """
    from core.runtime.strategy_host.process import STARTING
    from core.strategies.base import TIMEOUT
    from state.user_strategies import kinds_in

    return kinds_in(strategies_folder_of(host, settings), waits=STARTING if is_played else TIMEOUT)


def strategies_folder_of(host: Host, settings: Settings) -> Path:
    """Return the folder of the user's strategies."""
    from state.settings_file import strategies_folder

    return strategies_folder(host.home, settings.strategies.folder)


def own_files(host: Host, settings: Settings) -> tuple[PlayedFile, ...]:
    """Return the current files of the enabled user strategies."""
    from state.simulated_logs import file_played

    folder = strategies_folder_of(host, settings)
    names = (name for name in settings.strategies.own if settings.strategies.of(name).enabled)
    return tuple(file_played(path) for name in names if (path := folder / f"{name}.py").is_file())


def vix_of(host: Host, settings: Settings) -> NewestVix | None:
    """Return the VIX with the memory shared by this home's processes; None if the settings name no source of closes."""
    from core.io.wall_clock import utc_now
    from core.market.vix import VixInTheDay, VixService, quote_lasts
    from core.market.vix_source import HttpVixQuote, HttpVixSource
    from state.home_files import VixFile

    terms = settings.regime
    if not terms.vix_url:
        return None
    closes = VixService(HttpVixSource(terms), VixFile(host.home.vix, utc_now), utc_now)
    if not terms.vix_now_url:
        return closes
    quotes = VixService(HttpVixQuote(terms), VixFile(host.home.vix_now, utc_now), utc_now, quote_lasts)
    return VixInTheDay(closes, quotes)


def notifier_of(host: Host, settings: Settings, engine: Engine) -> Notifier | None:
    """Return the notifier; None if there is no rule (SY-03). A rule that can never match is reported."""
    from core.workflows.operator.notification_rules import accounts_not_known

    if not settings.notify.in_force:
        return None
    known = {engine.state.account_name, *(folder.name for folder in host.home.accounts())}
    for words in accounts_not_known(settings.notify, known):
        engine.say(words)
    carrier = carrier_of(
        host, settings.notify, reports_of(host, settings, host.home.account(engine.state.account_name))
    )
    carrier.begin()
    return carrier


def carrier_of(host: Host, terms: NotifySettings, reports: Reports | None = None) -> Notifier:
    """Return a notifier that looks up the channels' addresses."""
    from core.runtime.notifier.process import Notifier
    from state.credentials import find_address

    return Notifier(terms, lambda channel: find_address(host.environ, channel), host.environ, reports)


def reports_of(host: Host, settings: Settings, folder: AccountFolder) -> ReportMaker:
    """Return what makes the reports of an account by `keyturn report`."""
    from console.commands.assembly.host import own_program
    from core.runtime.notifier.reports import ReportMaker

    def program(day: date, is_week: bool) -> list[str]:
        which = "--week" if is_week else "--day"
        return own_program("report", which, f"{day}", "--journal-dir", str(folder.journal), "--notice", "--json")

    return ReportMaker(program, settings.report.agent, host.environ)


def installation(folder: AccountFolder) -> str:
    """Return a new installation name, unique to this machine, which manual orders hash (EX-04)."""
    return f"{folder.name}-{uuid4().hex[:8]}"
