"""Past trades and days for an agent, read from the journal in the process of `keyturn mcp` (OP-09, AN-06).

The engine has no part in it. The agent's table of the settings is read for each question, so that what the operator
hides is hidden at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from core.model.draft import SUMMARISED_WITHIN
from core.model.values import Symbol
from core.ports import JournalError, OperatorError
from core.settings.settings import Settings

if TYPE_CHECKING:
    from core.reports.agent_explained import ToldTo

Values: TypeAlias = dict[str, Any]
"""A JSON object."""
NO_ENVIRON: Mapping[str, str] = {}


class AgentJournal:
    """The questions of one agent to one journal, one after the other. Any thread.

    Parameters
    ----------
    name
        The agent's name in the settings.
    folder
        Returns the folder of the journal's segments. Raises `OperatorError`.
    settings
        Returns the settings of now. Raises `OperatorError`.
    environ
        Of the process that plays a backtest.
    """

    def __init__(
        self,
        name: str,
        folder: Callable[[], Path],
        settings: Callable[[], Settings],
        environ: Mapping[str, str] = NO_ENVIRON,
    ) -> None:
        self._name, self._folder, self._settings, self._environ = name, folder, settings, environ
        self._lock = threading.Lock()

    def explain_trade(self, trade: str) -> Values:
        """Return the figures of a closed trade of the agent's symbols. Raises `OperatorError`."""
        from state.past_for_agents import trade_for  # imports pandas

        return self._asked(lambda folder, to: trade_for(folder, trade, to))

    def explain_day(self, day: str) -> Values:
        """Return the figures of a day, as 2026-11-19; of the journal's last day if empty. Raises `OperatorError`."""
        from state.past_for_agents import day_for

        return self._asked(lambda folder, to: day_for(folder, day, to))

    def day_named(self, day: str) -> str:
        """Return this day of the journal's last week, as 2026-11-19; its last one if empty. Raises `OperatorError`."""
        from state.past_days import day_named, days_between

        asked = day_named(day) if day else None

        def read(folder: Path, _to: ToldTo) -> Values:
            (last,) = days_between(folder, None, None)
            found = days_between(folder, asked, asked)[-1]
            if last - found > SUMMARISED_WITHIN:
                raise OperatorError(f"{found} is over a week ago; summarise a day from {last - SUMMARISED_WITHIN} on")
            return {"day": found.isoformat()}

        return str(self._asked(read)["day"])

    def backtest(self, strategy: str, symbol: str, days: int) -> Values:
        """Return what a strategy would have done on the symbol's last recorded days. Raises `OperatorError`."""
        from console.commands.assembly.agent_backtest import backtest_of
        from state.past_for_agents import minutes_for

        def play(folder: Path, to: ToldTo) -> Values:
            bars = minutes_for(folder, Symbol(symbol), days, to)
            return backtest_of(self._environ, strategy, bars, hides_amounts=to.hides_amounts)

        return self._asked(play)

    def _asked(self, read: Callable[[Path, ToldTo], Values]) -> Values:
        from core.reports.agent_explained import ToldTo

        settings = self._settings()
        terms = settings.agents.get(self._name)
        if terms is None:
            raise OperatorError(f"no agent {self._name} is set up any more; ask the operator")
        to = ToldTo(frozenset(map(Symbol, terms.symbols or settings.symbols)), terms.hides_amounts)
        with self._lock:
            try:
                return read(self._folder(), to)
            except (JournalError, OSError) as error:
                raise OperatorError(f"the journal cannot be read ({type(error).__name__}); tell the operator") from None
