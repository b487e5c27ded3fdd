"""`keyturn explain`: the causes of a trade's or a day's result, to the cent, from the journal (AN-03, AN-06)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer

from console.commands.shared import Account, AsJson, JournalDir, checked_page, host_of, print_json, say, write_page
from state.accounts import journal_of


def explain(
    context: typer.Context,
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[TRADE|DAY|FROM..TO]",
            help="An order id or its first characters, a day, or a range; default: the last day of the journal.",
        ),
    ] = None,
    account: Account = None,
    journal_dir: JournalDir = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write a self-contained HTML page.")] = None,
    as_json: AsJson = False,
) -> None:
    """Explain the result of a trade, a day or some days: each part in USD, and the amount that no record explains.

    A trade is told by the order that closed it. Its result is split into what the signal made and what was lost on the
    way: confirmation delay, spread, slippage, fees. Works while the engine runs, on any day of the journal.

    Example: keyturn explain 2026-11-19 --html thursday.html
    """
    from core.post_mortem.page import page
    from core.post_mortem.trade_text import as_json as told
    from core.post_mortem.trade_text import lines_of
    from state.past_days import explained

    folder = journal_of(host_of(context).home, account, journal_dir).journal
    checked_page(html)
    found, is_trade = explained(folder, what)
    if html is not None:
        write_page(html, page(found))
    if as_json:
        print_json(told(found), orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z)
        return
    for line in lines_of(found, is_whole=is_trade):
        say(line)
    if html is not None:
        say(f"written: {html}")
