"""`keyturn journal stamp`: have a time-stamping service certify when a head existed (SP-08)."""

from __future__ import annotations

from typing import Annotated

import typer

from console.commands.assembly.settings import settings_of
from console.commands.shared import Account, AsJson, JournalDir, host_of, print_json, say
from core.ports import OperatorError
from state.accounts import journal_of

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
    from state.proof.time_stamps import service_at, stamp_last

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
