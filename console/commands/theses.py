"""`keyturn theses`: why each strategy should make money, and whether its closed trades refute that (AN-07)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.commands.assembly.settings import settings_of
from console.commands.shared import Account, AsJson, JournalDir, host_of, say, tell
from core.ports import OperatorError
from state.accounts import journal_of

FILE = "theses.toml"
EMPTY = """no thesis yet: {file} does not exist. An example:

[long_trends]
says = "Trends of SPY that last a month go on"
strategy = "sma"
invalid_if = ["win rate < 45 % over 100 trades", "profit factor < 1 over 50 trades"]"""


def theses(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Option("--file", help=f"The file of the theses; default: {FILE} beside the settings.")
    ] = None,
    account: Account = None,
    journal_dir: JournalDir = None,
    as_json: AsJson = False,
) -> None:
    """Check the theses by the closed trades of the journal: ACTIVE, PENDING (too few trades) or INVALIDATED.

    A thesis is a sentence, a strategy, and criteria that refute it: win rate, profit factor, profit, expectancy or
    drawdown of its last trades. Enabled strategies without a thesis are named. Works while the engine runs. Exit code 1
    if a thesis is invalidated.

    Example: keyturn theses --account alpaca-paper
    """
    from core.analytics.theses import Status, judged, lines_of, theses_of
    from core.analytics.theses import as_json as told
    from state.files import tables_of
    from state.past_days import trades_of_strategies

    host = host_of(context)
    path = file or host.home.of_the_operator(FILE)
    if file is not None and not file.exists():
        raise OperatorError(f"--file {file}: no such file; check the path")
    found = theses_of(tables_of(path, "theses", OperatorError), path.name)
    if not found and not as_json:
        for line in EMPTY.format(file=path).splitlines():
            say(line)
        return
    strategies = settings_of(host).strategies
    if unknown := next((each for each in found if each.strategy not in strategies.names), None):
        raise OperatorError(
            f"{path.name}: {unknown.name}.strategy: there is no strategy {unknown.strategy}; one of "
            f"{', '.join(strategies.names)}"
        )
    trades = trades_of_strategies(journal_of(host.home, account, journal_dir).journal)
    verdicts = [judged(thesis, trades.get(thesis.strategy, [])) for thesis in found]
    named = {thesis.strategy for thesis in found}
    without = [name for name in strategies.names if strategies.of(name).enabled and name not in named]
    tell(as_json, lambda: told(verdicts, without), lines_of(verdicts, without))
    if any(verdict.status is Status.INVALIDATED for verdict in verdicts):
        raise typer.Exit(1)
