"""`keyturn journal tail|explain|verify|compress|why`: read, prove, compress and explain the records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import orjson
import typer

from console.commands.assembly.host import Host
from console.commands.shared import Account, AsJson, JournalDir, counted, host_of, print_json, say
from core.ports import OperatorError, Recorded
from state.accounts import journal_of

if TYPE_CHECKING:
    from core.runtime.routes import FactRoute, InputRoute, Routes, Step


def tail(
    context: typer.Context,
    count: Annotated[int, typer.Option("-n", "--count", min=0, help="Number of records.")] = 20,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Keep printing new ones as they arrive.")] = False,
    is_explained: Annotated[
        bool,
        typer.Option(
            "--explain", help="Below each record, print the slices that fold it and the workflows that follow it."
        ),
    ] = False,
    account: Account = None,
    journal_dir: JournalDir = None,
    as_json: AsJson = False,
) -> None:
    """Print the newest records.

    Example: keyturn journal tail -n 50 -f --explain
    """
    from console.commands.assembly.routes import routes
    from state.journal_inspection import tail as newest

    records = newest(journal_of(host_of(context).home, account, journal_dir), count, follow)
    _print(records, as_json, routes() if is_explained else None)


def explain(
    name: Annotated[str | None, typer.Argument(help="An input or a fact; default: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Explain how the engine handles an input or a fact, from the code itself; no journal is read.

    For an input: the workflows that answer it, in order, and those at the end of the act. For a fact: the slices that
    fold it, and the workflows that follow it.

    Example: keyturn journal explain OrderFilled
    """
    from console.commands.assembly.routes import routes

    known = routes()
    found = [known.of(each) for each in ([name] if name is not None else known.names)]
    if as_json:
        print_json([asdict(route) for route in found])
        return
    for line in _lines_of(found):
        say(line)


def verify(
    context: typer.Context, account: Account = None, journal_dir: JournalDir = None, as_json: AsJson = False
) -> None:
    """Verify the chain of every record, up to the last one of the state documents. Exit code 0 sound, 1 damaged.

    Facts and settings keys that this release does not know are listed; they are no damage.

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


def compress(
    context: typer.Context,
    older_than: Annotated[int, typer.Option("--older-than", min=1, help="Days since the segment's day ended.")] = 30,
    account: Account = None,
    journal_dir: JournalDir = None,
    as_json: AsJson = False,
) -> None:
    """Compress the segments of days long over. Every command reads them as before; an engine may run meanwhile.

    A segment goes only after its compressed copy was read back and is the same. gzip -d makes it a text file again.

    Example: keyturn journal compress --older-than 90
    """
    from state.journal_files import closed_segments
    from state.journal_files import compress as compressed

    folder, now = journal_of(host_of(context).home, account, journal_dir), datetime.now(UTC)
    waiting = len(closed_segments(folder, now, older_than))
    done = []
    for number, each in enumerate(compressed(folder, now, older_than), 1):
        done.append(each)
        if not as_json:
            say(f"{each.day}: {each.before:,} bytes, {each.after:,} compressed ({number} of {waiting})")
    if as_json:
        print_json([asdict(each) for each in done])
    elif not done:
        say(f"no segment is older than {counted(older_than, 'day')} and uncompressed; --older-than names fewer days")


def why(
    context: typer.Context,
    order: Annotated[str, typer.Argument(help="An order id, or its first characters.")],
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


def _print(records: Iterable[Recorded], as_json: bool, known: Routes | None = None) -> None:
    from core.event_text import in_words, kind_of  # imports every fact: too slow before the desk's first paint
    from core.facts.registry import BY_TYPE

    for record in records:
        route = known.of_fact(type(record.fact)) if known else None
        if as_json:
            line: dict[str, object] = {
                "sequence": record.sequence,
                "at": record.at,
                "fact": BY_TYPE[type(record.fact)].name,
                "data": record.fact,
            }
            if route:
                line |= {"folded_by": route.folded_by, "followed_by": [step.name for step in route.followed_by]}
            print_json(line, orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS, _plain)
        else:
            words = in_words(record.fact)
            say(f"{record.sequence:>7} {record.at:%Y-%m-%d %H:%M:%S.%f}Z {kind_of(record.fact):<9} {words}")
            for below in _after(route) if route else ():
                say(f"{'':>7} {below}")


def _lines_of(routes: Sequence[FactRoute | InputRoute]) -> Iterator[str]:
    from core.runtime.routes import FactRoute

    settled: tuple[Step, ...] = ()
    for route in routes:
        if isinstance(route, FactRoute):
            yield f"{route.name}, a fact, version {route.version}"
            yield f"  folded by {_all(route.folded_by)}"
            yield from _named("followed by", route.followed_by)
        else:
            yield f"{route.name}, {'a command' if route.is_command else 'an input'}"
            yield from _named("answered by", route.answered_by)
            yield from _named("when due", route.due)
            settled = route.settled_by
    if settled:
        yield "At the end of every act"
        yield from _named("then", settled)


def _after(route: FactRoute) -> tuple[str, str]:
    followed = _all(step.name for step in route.followed_by)
    return f"{route.name} is folded by {_all(route.folded_by)}", f"and followed by {followed}"


def _named(does: str, steps: Sequence[Step]) -> Iterator[str]:
    for step in steps:
        uses = f", which uses {_all(step.uses)}" if step.uses else ""
        yield f"  {does} {step.name} ({step.file}){uses}"


def _all(names: Iterable[str]) -> str:
    return ", ".join(names) or "nobody"


def _plain(value: object) -> object:
    dump = getattr(value, "model_dump", None)
    return dump(mode="json", warnings=False) if dump else str(value)


def verified(host: Host, account: str | None, folder: Path | None) -> dict[str, object]:
    """Verify a journal and return the report. Raises `OperatorError`."""
    from state.documents import known_sequence
    from state.journal_inspection import Unread, verify

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
