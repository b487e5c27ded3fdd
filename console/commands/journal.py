"""`keyturn journal`: read, prove and explain what is recorded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, cast

import orjson
import typer

from console.commands.assembly.host import Host
from console.commands.shared import Account, AsJson, JournalDir, counted, host_of, print_json, say
from core.ports import OperatorError, Recorded
from state.accounts import journal_of

commands = typer.Typer(help="Read, prove and explain the journal.", no_args_is_help=True, rich_markup_mode=None)


@commands.command()
def tail(
    context: typer.Context,
    count: Annotated[int, typer.Option("-n", "--count", min=0, help="How many records.")] = 20,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what comes.")] = False,
    account: Account = None,
    journal_dir: JournalDir = None,
    as_json: AsJson = False,
) -> None:
    """Print the newest records.

    Example: keyturn journal tail -n 50 -f
    """
    from state.tail import tail as newest

    _print(newest(journal_of(host_of(context).home, account, journal_dir), count, follow), as_json)


@commands.command()
def verify(
    context: typer.Context, account: Account = None, journal_dir: JournalDir = None, as_json: AsJson = False
) -> None:
    """Prove the chain of every record, to the one that the state documents know. Exit code 0 sound, 1 damaged.

    What this release does not know of what was written, a fact or a settings key, is named; it is no damage.

    Example: keyturn journal verify
    """
    report = verified(host_of(context), account, journal_dir)
    if as_json:
        print_json(report)
    else:
        verb = "holds" if report["records"] == 1 else "hold"
        say(f"{counted(report['records'], 'record')} in {counted(report['segments'], 'segment')} {verb}")
        if report["torn"]:
            say(f"a torn end, no damage; the next start repairs it: {report['torn']}")
        for words in cast(list[str], report["unread"]):
            say(f"not read by this release: {words}")
        if report["damage"]:
            say(f"DAMAGED: {report['damage']}")
    if not report["sound"]:
        raise typer.Exit(1)


@commands.command()
def why(
    context: typer.Context,
    order: Annotated[str, typer.Argument(help="An order's id, or its beginning.")],
    account: Account = None,
    journal_dir: JournalDir = None,
    as_json: AsJson = False,
) -> None:
    """Explain an order: every record from its bar to the end of its trade.

    Example: keyturn journal why b41db81a
    """
    from core.views.order_chain import chain_of
    from state.journal import read

    folder = journal_of(host_of(context).home, account, journal_dir)
    _print(chain_of(order, read(folder.journal)), as_json)


def _print(records: Iterable[Recorded], as_json: bool) -> None:
    from core.facts.registry import BY_TYPE
    from core.views.event_text import in_words, kind_of  # with every fact: too much before the desk's first paint

    for record in records:
        if as_json:
            line = {
                "sequence": record.sequence,
                "at": record.at,
                "fact": BY_TYPE[type(record.fact)].name,
                "data": record.fact,
            }
            print_json(line, orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS, _plain)
        else:
            words = in_words(record.fact)
            say(f"{record.sequence:>7} {record.at:%Y-%m-%d %H:%M:%S.%f}Z {kind_of(record.fact):<9} {words}")


def _plain(value: object) -> object:
    dump = getattr(value, "model_dump", None)
    return dump(mode="json", warnings=False) if dump else str(value)


def verified(host: Host, account: str | None, folder: Path | None) -> dict[str, object]:
    """What the proof of a journal came to. Raises `OperatorError`."""
    from state.documents import known_sequence
    from state.unread import Unread
    from state.verify import verify

    looked_at = journal_of(host.home, account, folder)
    known = known_sequence(looked_at) if folder is None else 0
    unread = Unread()
    report = verify(looked_at, known, unread.look)
    if not report.segments and not known:
        raise OperatorError(f"there is no journal in {looked_at.journal}; name a folder that holds one")
    return {
        "sound": report.is_sound,
        "records": report.records,
        "segments": report.segments,
        "last_sum": report.last_sum,
        "torn": report.torn,
        "damage": report.damage,
        "unread": list(unread.words),
    }
