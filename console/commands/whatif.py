"""`keyturn whatif`: replay a day with one change, compared with the unchanged day (AN-06)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import orjson
import typer

from console.commands.shared import Account, AsJson, JournalDir, host_of, print_json, say
from core.what_if.changes import HOW
from state.accounts import journal_of


def whatif(
    context: typer.Context,
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], metavar="DAY", help="A day, as 2026-11-19.")],
    change: Annotated[
        list[str] | None, typer.Option("--change", help=f"A change, tried separately; repeatable: {HOW}.")
    ] = None,
    account: Account = None,
    journal_dir: JournalDir = None,
    as_json: AsJson = False,
) -> None:
    """Replay a day with one change, and print its result.

    A day of a demo or a replay is first replayed unchanged, which must write the same bytes as then. A day at a broker
    is modelled from its recorded bars, and the assumptions are listed. Without --change its proposals are listed.

    Example: keyturn whatif 2026-01-05 --change decline=8b1f0c2a --change set:risk.daily_loss.usd=50
    """
    from console.commands.assembly.again import played_again
    from core.what_if.outcome import as_json as told
    from core.what_if.outcome import lines_of

    host = host_of(context)
    source = journal_of(host.home, account, journal_dir)
    found = played_again(host, source, day.date(), change or (), lambda words: say(f"playing: {words}", err=True))
    if as_json:
        print_json(told(found), orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z)
        return
    for line in lines_of(found):
        say(line)
