"""keyturn journal: read, verify, explain, sign, stamp and disclose the journal (SP-08)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import orjson
import typer

from console.commands.assembly.host import Host
from console.commands.assembly.settings import settings_of
from console.commands.shared import Account, AsJson, JournalDir, counted, host_of, print_json, say, tell
from core.ports import OperatorError, Recorded
from state.accounts import journal_of

if TYPE_CHECKING:
    from core.runtime.routes import FactRoute, InputRoute, Routes, Step
    from state.files import AccountFolder
    from state.proof.heads import SignedHead
    from state.proof.signing_key import SigningKey


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
    known = routes()
    found = [known.of(each) for each in ([name] if name is not None else known.names)]
    tell(as_json, lambda: [asdict(route) for route in found], _lines_of(found))


def routes() -> Routes:
    """Return the routes of this release's engine, read from one that never runs: without account, disk or session."""
    from core.engine import Engine
    from core.market.calendar import ExchangeCalendar
    from core.model.account import Mode
    from core.runtime.routes import Routes
    from state.journal import MemoryJournal

    return Routes(Engine("none", Mode.PAPER, ExchangeCalendar(date.min, date.min, (), {}), MemoryJournal()))


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


Redacted = Annotated[
    list[str] | None, typer.Option("--redact", help="Omit amounts, symbols or both; either also omits texts.")
]


def key(
    context: typer.Context,
    is_new: Annotated[bool, typer.Option("--new", help="Create a key in the system's keyring.")] = False,
    of_agent: Annotated[bool, typer.Option("--agent", help="List the keys of the SSH agent that can sign.")] = False,
) -> None:
    """Print the public key of your record. Publish it: anyone who has it can check your exports.

    Example: keyturn journal key --new
    """
    from state.proof.signing_key import SETTING, make_key

    host = host_of(context)
    if of_agent:
        from state.proof.signing_key import SshAgent

        held = SshAgent(host.environ).keys()
        for each in held:
            say(f'agent_key = "{each.fingerprint}"   # {each.comment}')
        if not held:
            raise OperatorError("the SSH agent shows no Ed25519 key: ssh-add gives it one, ssh-add -X unlocks it")
        say("one of these lines under [proof] in the settings, and that key signs")
        return
    if is_new and settings_of(host).proof.agent_key:
        raise OperatorError(f"{SETTING} names a key of the SSH agent, and it signs: take it out of the settings first")
    say((make_key() if is_new else _key(host)).public.hex())


def sign(
    context: typer.Context, account: Account = None, journal_dir: JournalDir = None, as_json: AsJson = False
) -> None:
    """Sign each finished day that is not signed yet. The last line is the head to publish, or to keep elsewhere.

    Example: keyturn journal sign
    """
    from state.proof.heads import read_heads

    folder, _, new = _signed(host_of(context), account, journal_dir)
    if as_json:
        print_json([{"day": signed.head.day, "number": signed.head.number, "hash": signed.head.hash} for signed in new])
        return
    for signed in new:
        say(f"{signed.head.day}  {signed.head.last - signed.head.first + 1:>9,} records  head {signed.head.number}")
    known = read_heads(folder.heads)
    if not known:
        say("no day has ended yet: the first one is signed then")
        return
    said = "" if new else "nothing new; "
    say(f"{said}the last head, of {known[-1].head.day}, is {known[-1].head.hash}")


def head(
    context: typer.Context,
    day: Annotated[str | None, typer.Option("--day", help="The day, as 2026-11-20; default: the last one.")] = None,
    account: Account = None,
    journal_dir: JournalDir = None,
) -> None:
    """Print a signed head. Published or kept elsewhere, it prevents any later change of the record before it.

    Example: keyturn journal head > head-of-november.json
    """
    from state.proof.heads import read_heads

    folder = journal_of(host_of(context).home, account, journal_dir)
    known = [signed for signed in read_heads(folder.heads) if day in (None, signed.head.day)]
    if not known:
        raise OperatorError(f"{day or 'no day'} is not signed: keyturn journal sign signs every past day")
    say(known[-1].line.decode().rstrip("\n"))


def export(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", help="A new file.")],
    day: Annotated[str | None, typer.Option("--day", help="One day, as 2026-11-20.")] = None,
    days: Annotated[str | None, typer.Option("--range", help="A range of days, as 2026-11-01..2026-11-20.")] = None,
    order: Annotated[str | None, typer.Option("--order", help="Export only the records of this order.")] = None,
    kept_back: Redacted = None,
    account: Account = None,
    journal_dir: JournalDir = None,
) -> None:
    """Write the record of signed days with its proofs; docs/verify_record.py checks it without Keyturn.

    Finished days that are not signed yet are signed first.

    Example: keyturn journal export --range 2026-11-01..2026-11-20 --redact amounts --out november.jsonl
    """
    from state.proof.export import export as exported
    from state.proof.parts import KEPT_BACK

    first, last = _days(day, days)
    unknown = next((what for what in kept_back or () if what not in KEPT_BACK), None)
    if unknown is not None:
        raise OperatorError(f"--redact {unknown}: it is amounts or symbols")
    folder, signing, _ = _signed(host_of(context), account, journal_dir)
    only = None if order is None else _records_of(order, folder)
    lines = exported(folder, signing, first, last, kept_back=frozenset(kept_back or ()), only=only)
    many = _write(out, lines)
    say(f"{out}: {counted(many, 'line')}, signed by {signing.public.hex()}")


def _signed(
    host: Host, account: str | None, journal_dir: Path | None
) -> tuple[AccountFolder, SigningKey, list[SignedHead]]:
    from state.proof.heads import sign_days

    folder, signing = journal_of(host.home, account, journal_dir), _key(host)
    return folder, signing, sign_days(folder, signing, datetime.now(UTC))


def _key(host: Host) -> SigningKey:
    from state.proof.signing_key import find_key

    return find_key(host.environ, settings_of(host).proof.agent_key)


def _records_of(order: str, folder: AccountFolder) -> frozenset[int]:
    from core.views.order_chain import chain_of
    from state.journal import read

    return frozenset(record.sequence for record in chain_of(order, read(folder.journal)))


def _days(day: str | None, days: str | None) -> tuple[date, date]:
    if (day is None) is (days is None):
        raise OperatorError("name one of the two: --day 2026-11-20, or --range 2026-11-01..2026-11-20")
    first, _, last = (days or f"{day}..{day}").partition("..")
    try:
        found = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        raise OperatorError(f"{days or day} is no day: 2026-11-20, or 2026-11-01..2026-11-20") from None
    if found[0] > found[1]:
        raise OperatorError(f"{days} ends before it begins")
    return found


def _write(path: Path, lines: Iterable[bytes]) -> int:
    """Write all lines, or no file; return the number of lines."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise OperatorError(f"{path} is there already: name another file") from None
    except OSError as error:
        raise OperatorError(f"{path} cannot be written: {error.strerror}") from None
    many = 0
    try:
        with os.fdopen(descriptor, "wb") as file:
            for line in lines:
                file.write(line)
                many += 1
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return many


NO_SERVICE = (
    'no service is named: proof.stamp_url = "https://…" in the settings, or --url; it is one that speaks RFC 3161'
)


def stamp(
    context: typer.Context,
    url: Annotated[str | None, typer.Option("--url", help="URL of the service; default: proof.stamp_url.")] = None,
    account: Account = None,
    journal_dir: JournalDir = None,
    as_json: AsJson = False,
) -> None:
    """Have the last head stamped by a time-stamping service (RFC 3161), which gets a hash and nothing of the record.

    The answer is kept in the folder stamps, beside the heads; openssl ts checks it, as docs/PROOF.md shows.

    Example: keyturn journal stamp --url https://freetsa.org/tsr
    """
    from core.settings.types import plain_only_on_loopback
    from state.proof.time_stamp import service_at, stamp_last

    host = host_of(context)
    terms = settings_of(host).proof
    try:
        service = plain_only_on_loopback(terms.stamp_url if url is None else url)
    except ValueError as error:
        raise OperatorError(f"--url {url}: {error}") from None
    if not service:
        raise OperatorError(NO_SERVICE)
    folder = journal_of(host.home, account, journal_dir)
    kept = stamp_last(folder, service, service_at(service, float(terms.stamp_seconds)))
    if as_json:
        print_json({"day": kept.day, "at": kept.at, "file": str(kept.path), "is_new": kept.is_new})
        return
    said = "" if kept.is_new else "nothing new; "
    say(f"{said}the head of {kept.day} was stamped at {kept.at:%Y-%m-%d %H:%M:%S} UTC: {kept.path}")


commands = typer.Typer(help="Read, prove and explain the journal.", no_args_is_help=True, rich_markup_mode=None)
for command in (tail, explain, verify, compress, why, key, sign, head, stamp, export):
    commands.command()(command)
