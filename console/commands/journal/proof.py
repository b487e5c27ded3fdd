"""`keyturn journal key|sign|head|export`: sign each day, and export signed days verifiably (SP-08)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.commands.assembly.host import Host
from console.commands.assembly.settings import settings_of
from console.commands.shared import Account, AsJson, JournalDir, counted, host_of, print_json, say
from core.ports import OperatorError
from state.accounts import journal_of

if TYPE_CHECKING:
    from state.files import AccountFolder
    from state.proof.heads import SignedHead
    from state.proof.signing_key import SigningKey

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
        _list_agent(host)
        return
    if is_new and settings_of(host).proof.agent_key:
        raise OperatorError(f"{SETTING} names a key of the SSH agent, and it signs: take it out of the settings first")
    say((make_key() if is_new else _key(host)).public.hex())


def _list_agent(host: Host) -> None:
    from state.proof.signing_key import SshAgent

    held = SshAgent(host.environ).keys()
    for each in held:
        say(f'agent_key = "{each.fingerprint}"   # {each.comment}')
    if not held:
        raise OperatorError("the SSH agent shows no Ed25519 key: ssh-add gives it one, ssh-add -X unlocks it")
    say("one of these lines under [proof] in the settings, and that key signs")


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
