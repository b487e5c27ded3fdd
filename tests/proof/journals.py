"""Signed journals of some days, each with one of every fact, and what is exported of them."""

from __future__ import annotations

import importlib.util
import lzma
import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from types import ModuleType

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from state.codec import decode
from state.files import AccountFolder
from state.journal import FileJournal
from state.proof.export import export
from state.proof.signing_key import SigningKey
from tests.proof.mutations import Lines

ROOT = Path(__file__).parents[2]
VERIFIER = ROOT / "docs" / "verify_record.py"
EACH = ROOT / "tests" / "journals" / "kept" / "first-each.jsonl.xz"
KEY = SigningKey.private(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
FIRST = date(2025, 11, 18)
NOON = datetime(2025, 11, 18, 17, 0, tzinfo=UTC)


RANDOM_WORD = re.compile(rb'"[a-h ]+"')
"""What the kept lines have in place of texts; identifiers of a desk have no blanks."""


@cache
def every_fact() -> tuple[bytes, ...]:
    """The line of one of each."""
    lines = lzma.decompress(EACH.read_bytes()).splitlines()
    return tuple(RANDOM_WORD.sub(lambda found: found[0].replace(b" ", b"_"), line) for line in lines)


@cache
def verifier() -> ModuleType:
    """The stranger's program, as a module."""
    spec = importlib.util.spec_from_file_location("verify_record", VERIFIER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def written(place: Path, days: int, a_day: int) -> AccountFolder:
    """So many records on each of so many days, a second apart."""
    account = AccountFolder(place)
    account.prepare()
    journal, facts = FileJournal(account), [decode(line).fact for line in every_fact()]
    for day in range(days):
        for number in range(a_day):
            journal.append(NOON + timedelta(days=day, seconds=number), facts[(day * a_day + number) % len(facts)])
    journal.close()
    return account


def over(days: int) -> datetime:
    """When so many days of it are over."""
    return NOON + timedelta(days=days)


def exported(folder: AccountFolder, days: int, first: int = 1, **options: object) -> Lines:
    """The lines of an export from the first of some days, or a later one, to the last."""
    begins, last = FIRST + timedelta(days=first - 1), FIRST + timedelta(days=days - 1)
    return [line.rstrip(b"\n") for line in export(folder, KEY, begins, last, **options)]  # type: ignore[arg-type]


def verdict(lines: Lines, earlier: str | None = None) -> str:
    """What the verifier says to somebody who has the public key."""
    program = verifier()
    try:
        return str(program.verify([*lines, b""], KEY.public.hex(), earlier))
    except program.RecordError as error:
        return str(error)


def said(lines: Lines) -> list[str]:
    """What it prints with `--show`: each record, and the verdict at the end."""
    printed: list[str] = []
    printed.append(str(verifier().verify([*lines, b""], KEY.public.hex(), None, printed.append)))
    return printed


def is_plain(text: str) -> bool:
    """ASCII that does nothing in a terminal, and the block of what is kept back."""
    return all(character in "\n█" or " " <= character <= "~" for character in text)
