"""What every account needs, whichever broker it is at: settings, the engine out of its journal, whoever keeps it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from core.ports import OperatorError
from state.account_admin import AccountAdmin
from state.folders import AccountFolder

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from core.engine import Engine
    from core.market.vix.service import VixService
    from core.messages.commands import SettingsSource
    from core.ports import RegimeRequest
    from core.risk.protections.base import Answer
    from core.risk.regime.report import Look
    from core.settings.settings import DisplaySettings, Settings
    from core.strategies.builtin import StrategyKinds
    from state.housekeeping import Housekeeping
    from state.kill_switch import FileKillSwitch


class Wiring(AccountAdmin):
    """The base of both halves; what looks and looks after is inherited."""

    _found: tuple[object, StrategyKinds] | None = None

    def _engine(
        self,
        folder: AccountFolder,
        calendar: object,
        mode: object,
        stack: ExitStack,
        *,
        settings: Settings,
        is_kept: bool = True,
    ) -> tuple[Engine, Callable[[], None]]:
        """The engine as journal and documents left it, and how its checkpoint is written.

        Where it is not kept, nothing that it records reaches the disk.
        """
        from core.engine import Engine
        from core.runtime.reconcile import Forgotten
        from core.trading_state import checkpoint
        from state.documents import TinyDocuments, known_sequence
        from state.journal import FileJournal

        journal = stack.enter_context(closing(FileJournal(folder, known_sequence(folder))))
        documents = TinyDocuments(folder)
        kept = journal if is_kept else Forgotten(journal)
        engine = Engine(folder.name, mode, calendar, kept, self._kinds(settings))  # type: ignore[arg-type]
        rebuilt = checkpoint.rebuild(engine.state, documents)
        engine.notes = (*journal.repairs, *documents.notes, *rebuilt)  # what loading met is in them by now
        return engine, lambda: checkpoint.save(engine.state, documents)

    def _keeper(
        self,
        folder: AccountFolder,
        switch: FileKillSwitch,
        write: Callable[[], None],
        overrides: tuple[str, ...] = (),
        left_out: tuple[str, ...] = (),
        sources: tuple[SettingsSource, ...] = (),
    ) -> Housekeeping:
        """Whoever keeps a running engine; `overrides` are those that its settings were loaded with, `left_out` those
        that it was started with last time, and `sources` what goes over the file beside them.
        """
        from core.views.builders.status import word_of
        from state.heartbeat import Heartbeat
        from state.housekeeping import Housekeeping
        from state.settings_watch import SettingsWatch

        watch = SettingsWatch(self.home.settings, lambda: self._settings(overrides), left_out=left_out, sources=sources)
        return Housekeeping(folder, switch, write, Heartbeat(folder).beat, word_of, watch)

    def _settings(self, overrides: tuple[str, ...]) -> Settings:
        settings = self._loaded(overrides)
        if settings.strategies.vwap.adaptive.enabled:
            raise OperatorError(
                "strategies.vwap.adaptive.enabled = true: only `keyturn backtest` may use it; set it to false"
            )
        return settings

    def _loaded(self, overrides: tuple[str, ...]) -> Settings:
        """What the console, the brokers and the sources know of what may stand in them included."""
        from console.key_remapping import fault_in
        from core.brokers.registry import BROKERS
        from core.market.registry import SOURCES
        from state.settings_file import load_settings

        known: dict[tuple[str, ...], tuple[str, ...]] = {
            ("account", "broker"): tuple(BROKERS),
            ("account", "data"): ("", *SOURCES),
        }
        return load_settings(self.home, self.environ, overrides, fault_in, known)

    def _kinds(self, settings: Settings, *, is_played: bool = False) -> StrategyKinds:
        """The strategies that a desk may run: the house's, and the user's that load, each in a process (ST-01).

        Where it is played, a bar waits until the process of its strategy is there.
        """
        from core.runtime.strategy_host.process import STARTING
        from core.strategies.timeouts import PATIENCE
        from state.user_strategies import files_in, kinds_in

        folder = self._folder_of(settings)
        asked = (folder, files_in(folder), is_played)
        if self._found is None or self._found[0] != asked:  # one process a file, however often a command asks
            self._found = (asked, kinds_in(folder, waits=STARTING if is_played else PATIENCE))
        return self._found[1]

    def _folder_of(self, settings: Settings) -> Path:
        """Where the user's strategies are."""
        from state.settings_file import strategies_folder

        return strategies_folder(self.home, settings.strategies.folder)

    def _only(self, names: tuple[str, ...], settings: Settings) -> Settings:
        """These strategies on, whatever the settings say, and every other one off.

        Raises
        ------
        OperatorError
            One of them does not load, or their allocations are more than there is.
        """
        from pydantic import ValidationError

        from core.settings.settings import HOUSE_NAMES
        from core.settings.settings import Settings as Whole
        from core.settings.types import WHOLE

        kinds, values = self._kinds(settings, is_played=True), settings.model_dump(context=WHOLE)
        for name in names:
            if name not in kinds.known:
                known = ", ".join(kinds.known)
                raise OperatorError(f"--strategy {name}: {kinds.faults.get(name, f'there is none; one of {known}')}")
        tables = values["strategies"]
        for name in (*settings.strategies.names, *names):
            table = tables[name] if name in HOUSE_NAMES else tables["own"].setdefault(name, {})
            table["enabled"] = name in names
        try:
            return Whole.model_validate(values)
        except ValidationError as error:
            words = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
            raise OperatorError(f"--strategy {', '.join(names)}: {words}") from None

    def protections(self, trades: Path, at: datetime, overrides: tuple[str, ...]) -> tuple[Answer, ...]:
        """How the protections of the settings stand at an instant, after a history of trades."""
        from core.files.trades_file import read_trades
        from core.market.calendar import load_calendar
        from core.risk.protections.day_trades import business_days
        from core.risk.protections.report import answers_at

        history, settings = read_trades(trades), self._settings(overrides).risk.protections
        if not history or not settings.day_trades.enabled:  # only business days need a calendar, and it loads slowly
            return answers_at(history, at, settings)
        calendar = load_calendar(history[0].closed_at.date() - timedelta(days=1), max(at, history[-1].closed_at).date())
        return answers_at(history, at, settings, business_days(calendar))

    def regime(self, request: RegimeRequest) -> Look:
        """The regime out of files of daily figures, or as the source of the VIX says it."""
        from core.io.wall_clock import utc_now
        from core.runtime.regime_query import look

        settings = self._settings(request.overrides)
        return look(request, settings, self._vix(settings), utc_now())

    def _vix(self, settings: Settings) -> VixService | None:
        """One memory for every process of this home; None where the settings ask nobody."""
        from core.io.wall_clock import utc_now
        from core.market.vix.http_source import HttpVixSource
        from core.market.vix.service import VixService
        from state.vix_file import VixFile

        if not settings.regime.vix_url:
            return None
        return VixService(HttpVixSource(settings.regime), VixFile(self.home.vix, utc_now), utc_now)

    def _display(self, overrides: tuple[str, ...]) -> DisplaySettings | None:
        """What the screen is set to, read before it is painted; None, and no wait, where nobody set any of it."""
        try:
            written = self.home.settings.read_text(errors="replace")
        except OSError:
            written = ""
        variables = [name for name in self.environ if name.upper().startswith("KEYTURN_DISPLAY")]
        is_named = variables or any("display" in text for text in (written, *overrides))
        return self._settings(overrides).display if is_named else None


def is_simulated(settings: Settings) -> bool:
    """Whether orders go to the simulated exchange, where alone keys by script are taken."""
    from core.brokers.kinds import SimulatedKind
    from core.brokers.registry import BROKERS

    return isinstance(BROKERS[settings.account.broker], SimulatedKind)


def installation(folder: AccountFolder) -> str:
    """The name that typed orders hash (EX-04): recorded once, and no other machine's."""
    return f"{folder.name}-{uuid4().hex[:8]}"
