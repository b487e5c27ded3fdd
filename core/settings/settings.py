"""All settings with types, units and defaults, and the profiles with sets of them.

Ratios are fractions (0.003), money is USD. The figures are those of the requirements: RK and ST name each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, PrivateAttr, field_validator, model_validator

from core.settings.agent_names import refusal_of_name
from core.settings.orders import (
    AlpacaSettings,
    ConfirmSettings,
    ExchangeSettings,
    ExecutionSettings,
    OrdersSettings,
    ReconciliationSettings,
    StagingSettings,
)
from core.settings.protections import FREQTRADE
from core.settings.risk import RegimeSettings, RiskSettings
from core.settings.service import (
    WATCHMAN,
    AccountSettings,
    AdvisersSettings,
    AgentSettings,
    AttendanceSettings,
    DisplaySettings,
    HealthSettings,
    NewsSettings,
    NotifySettings,
    ProofSettings,
    ReportSettings,
    WatchdogSettings,
)
from core.settings.strategies import OF_NO_STRATEGY, EvaluationSettings, ExitSettings, StrategiesSettings
from core.settings.types import (
    NOTHING_ODD,
    AnyChangeIsLooser,
    GrowingSettingsTable,
    HistoricalValue,
    SymbolName,
    no_direction,
)


class Settings(GrowingSettingsTable):
    """All settings. The profile gives the defaults; file, environment and command line override them."""

    LATER: ClassVar[frozenset[str]] = frozenset(
        {
            "advisers",
            "agents",
            "attendance",
            "confirm",
            "evaluation",
            "exits",
            "health",
            "news",
            "notify",
            "orders",
            "proof",
            "report",
            "watchdog",
        }
    )

    profile: Annotated[
        Literal["micro", "swing", "freqtrade"],
        no_direction("it gives the defaults, and each of them has its own direction"),
    ] = "micro"
    symbols: Annotated[
        tuple[SymbolName, ...],
        no_direction("what is watched: an order in any of them needs its key and passes every check"),
    ] = ("SPY",)
    account: Annotated[
        AccountSettings, no_direction("another account, with its own journal, limits and gates (OP-10)")
    ] = AccountSettings()
    risk: AnyChangeIsLooser[RiskSettings] = RiskSettings()
    staging: StagingSettings = StagingSettings()
    confirm: ConfirmSettings = ConfirmSettings()
    execution: ExecutionSettings = ExecutionSettings()
    orders: OrdersSettings = OrdersSettings()
    reconciliation: ReconciliationSettings = ReconciliationSettings()
    strategies: Annotated[
        StrategiesSettings,
        no_direction("what a strategy looks for and whether it looks: it proposes, and limits and keys are the same"),
    ] = StrategiesSettings()
    exits: ExitSettings = ExitSettings()
    exchange: Annotated[ExchangeSettings, no_direction("rules of the simulated exchange, where no money is")] = (
        ExchangeSettings()
    )
    alpaca: Annotated[
        AlpacaSettings,
        no_direction(
            "where Alpaca is reached and how long it is waited for; its hosts are held to the account's kind (OP-10)"
        ),
    ] = AlpacaSettings()
    regime: Annotated[RegimeSettings, no_direction("where the VIX is read")] = RegimeSettings()
    attendance: AttendanceSettings = AttendanceSettings()
    display: Annotated[DisplaySettings, no_direction("the screen")] = DisplaySettings()
    advisers: Annotated[AdvisersSettings, no_direction("advisers say words, and nothing of it is sent (OP-09)")] = (
        AdvisersSettings()
    )
    agents: Annotated[
        dict[str, AgentSettings],
        no_direction("an agent only drafts: the operator adopts, and every order passes every check and needs its key"),
    ] = Field({}, description="the agents that may draft, a table for each by its name; a change holds at once (OP-09)")
    evaluation: EvaluationSettings = EvaluationSettings()
    health: Annotated[HealthSettings, no_direction("who reads figures on this machine")] = HealthSettings()
    news: Annotated[NewsSettings, no_direction("what is shown of a symbol: no check reads it")] = NewsSettings()
    notify: Annotated[NotifySettings, no_direction("who is told; nothing is sent by it that trades")] = NotifySettings()
    report: Annotated[
        ReportSettings, no_direction("what is sent after the close; the agent's words are read, and nothing follows")
    ] = ReportSettings()
    proof: Annotated[ProofSettings, no_direction("how the record is signed")] = ProofSettings()
    watchdog: Annotated[
        WatchdogSettings, no_direction("when the engine is started again; nothing that trades is decided by it")
    ] = WatchdogSettings()
    keys: Annotated[dict[str, str], no_direction("the screen")] = Field(
        {}, description="other keys, by the identifier of the table's line"
    )

    _odd: HistoricalValue = PrivateAttr(NOTHING_ODD)

    def holds_overnight(self, strategy: str) -> bool:
        """Return whether it need not be flat by the close.

        A manual position, or one taken over from the broker, need not.
        """
        is_named = strategy in OF_NO_STRATEGY or strategy in self.exits.overnight
        return is_named or self.strategies.of(strategy).holds_overnight

    def flat_minutes(self, strategy: str) -> int:
        """Return the minutes before the close in which a strategy is flat, by its or the exits' rule; 0 if never."""
        if self.holds_overnight(strategy):
            return 0
        table = self.strategies.of(strategy) if strategy in self.strategies.names else self.strategies.vwap
        return max(table.flat_minutes, self.exits.flat_minutes if self.exits.guards(strategy) else 0)

    @property
    def odd(self) -> HistoricalValue:
        """Values that today's rules would refuse; only settings read from a journal have any."""
        return self._odd

    def note(self, odd: HistoricalValue) -> None:
        """Set them when reading from a journal."""
        self._odd = odd

    @property
    def all_agents(self) -> Mapping[str, AgentSettings]:
        """The agents that may connect, by name; the watchman reads and drafts nothing."""
        if not self.advisers.watchman.enabled:
            return self.agents
        return {WATCHMAN: AgentSettings(enabled=False), **self.agents}

    @field_validator("symbols")
    @classmethod
    def each_symbol_once(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(symbols)) < len(symbols):
            raise ValueError("must name each symbol once")
        return symbols

    @model_validator(mode="after")
    def each_agent_has_a_name_of_its_own(self) -> Self:
        for name in self.agents:
            if refusal := refusal_of_name(name, self.strategies.names):
                raise ValueError(f"{refusal}, and rename its table, or `keyturn agents remove {name}`")
        return self

    @model_validator(mode="after")
    def the_report_has_an_agent_with_such_a_name_too(self) -> Self:
        if (name := self.report.agent.name) and (refusal := refusal_of_name(name, self.strategies.names)):
            raise ValueError(f"report.agent.name: {refusal}")
        return self

    @model_validator(mode="after")
    def window_is_a_window(self) -> Self:
        if self.risk.window_start > self.risk.window_end:
            raise ValueError("risk.window_start is after risk.window_end; change one of the two")
        return self

    @model_validator(mode="after")
    def strategies_look_at_symbols_of_the_desk(self) -> Self:
        for name in self.strategies.names:
            if unknown := sorted(set(self.strategies.of(name).symbols) - set(self.symbols)):
                raise ValueError(
                    f"strategies.{name}.symbols: {', '.join(unknown)}: not among the symbols; "
                    "add it there, or take it out"
                )
        return self


COLLAR: dict[str, object] = {"band": "0.03", "spreads": "10", "period_band": "0.05"}
"""Limits on overpaying that suit any trader of shares (RK-23)."""
ORDER_SIZE: dict[str, object] = {"shares": "10000", "of_volume": "0.01"}
"""A hundred round lots; the part of the volume is the requirement's own (RK-23)."""
SMALL_ACCOUNT: dict[str, object] = {
    "collar": COLLAR,
    "order_size": ORDER_SIZE,
    "max_day_value": {"of_equity": "1"},
    "margin": {"deficit_limit": 3},
    "portfolio": {"max_exposure": "0.8", "symbol_exposure": "0.5", "sector_exposure": "0.8"},
}
"""A fifth of it stays cash (RK-16). A day's purchases are at most its equity (RK-23)."""


VWAP_WINDOW: dict[str, object] = {"vwap": {"limits": {"windows": ["10:00-11:30"]}}}
"""The requirement's, in every profile (RK-07)."""


PROFILES: dict[str, dict[str, object]] = {
    "micro": {"risk": SMALL_ACCOUNT, "strategies": VWAP_WINDOW},
    "swing": {
        "strategies": VWAP_WINDOW,
        "exchange": {"cash": "100000", "multiplier": "2"},
        "risk": {
            "per_trade": {"of_equity": "0.005"},
            "min_notional": "500",
            "max_notional": {"of_equity": "0.08"},
            "max_day_value": {"of_equity": "1"},
            "max_open_positions": 30,
            "daily_loss": {"of_equity": "0.02"},
            "weekly_loss": {"of_equity": "0.04"},
            "entries_a_day": 10,
            "window_start": "09:35",
            "window_end": "15:45",
            "frequency": {"enabled": False},
            "collar": COLLAR,
            "order_size": ORDER_SIZE,
            "margin": {"holds_overnight": True, "deficit_limit": 3},
            "portfolio": {
                "max_exposure": "0.9",
                "reserve": "10000",
                "symbol_exposure": "0.2",
                "sector_exposure": "0.4",
            },
        },
    },
    "freqtrade": {"risk": {"protections": FREQTRADE, **SMALL_ACCOUNT}, "strategies": VWAP_WINDOW},
}
"""Each profile's changes of the defaults, as in a settings file."""
