"""Forged exports of a record, each of which the verifier must find, and true ones, each of which it must accept.

Of ten cases five are signed by the holder of the key, and nobody kept an earlier head. In three of them one field of
the structure is changed, and every hash, tree, chain and signature is made to fit (`tests/proof/owner.py`). In two a
value of a record has another text than a desk writes for it (`tests/proof/text_forms.py`). Three are made without the
key, of a day and now and then of a year, against an earlier head (`tests/proof/mutations.py`); one of these in six is
written anew by the owner. Two are true: of other days, of one order, redacted, with what a stranger might say in them.
Whatever is said of any of them is plain ASCII.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from time import monotonic

from core.facts import CashMoved
from core.model.reconciliation import ActivityId, ActivityKind
from core.model.values import Money, Symbol
from state.files import AccountFolder
from state.journal import FileJournal
from state.proof.export import export
from state.proof.heads import lines_of, read_heads, sign_days
from tests.proof.journals import FIRST, KEY, NOON, exported, is_plain, over, said, verdict, written
from tests.proof.mutations import MUTATIONS, Lines, written_anew
from tests.proof.owner import EACH_FIELD, forged
from tests.proof.text_forms import KINDS, forged_text
from tests.soak.chunks import Chunks, Play

A_DAY, DAYS_OF_A_YEAR, A_DAY_OF_A_YEAR = 141, 252, 20
OF_A_YEAR = 50
"""Of so many cases one is of a year."""
REDACTED = ((), (), ("amounts",), ("symbols",), ("amounts", "symbols"))
FOUND = ("cut", "edited", "reordered", "rewritten")
A_CHUNK = 200
SHORT_DAYS, A_SHORT_DAY = 4, 40
ODD = (
    "\x1b[2J\rcomplete: 9 records",
    "\u202e",
    "\u200b",
    "#a0",
    "\u0661:\u0662",
    "\U0001f4c8",
    "\x00\x7f\x9b",
    '"\\',
    "1e-7",
)


@dataclass
class Outcome:
    """How often each verdict was given and each field drawn; `wrong` names the cases missed or wrongly refused."""

    verdicts: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Case:
    """What was made, and what it is: a forgery, or true."""

    kind: str
    lines: Lines
    is_true: bool
    earlier: str | None = None


def run(chunks: Callable[[Play, int], Chunks], cores: int, plant: str | None) -> int:
    del plant
    whole, begun = Outcome(), monotonic()
    for outcome in chunks(judged, A_CHUNK).results(cores):
        whole.verdicts += outcome.verdicts
        whole.fields += outcome.fields
        whole.missed += outcome.missed
        whole.refused += outcome.refused
    for counted in (whole.fields, whole.verdicts):
        for told, count in counted.most_common():
            print(f"  {told:<32} {count:>8,}")
    for case in (*whole.missed, *whole.refused):
        print(case)
    print(f"missed: {len(whole.missed):,}; wrongly refused: {len(whole.refused):,}; {monotonic() - begun:,.0f} s")
    return int(bool(whole.missed or whole.refused))


def judged(seed: int, first: int, many: int) -> Outcome:
    outcome = Outcome()
    for number in range(first, first + many):
        case = drawn(Random(f"{seed}:{number}"), number)
        told = said(case.lines) if case.is_true else [verdict(case.lines, case.earlier)]
        word = told[-1].split(":")[0]
        outcome.verdicts[word] += 1
        outcome.fields[case.kind] += 1
        place = f"{number} of seed {seed}: {case.kind}: {told[-1]!a}"
        if not all(map(is_plain, told)) or (not case.is_true and word not in FOUND):
            outcome.missed.append(place)
        elif case.is_true and word not in ("complete", "excerpt"):
            outcome.refused.append(place)
    return outcome


def drawn(chance: Random, number: int) -> Case:
    match number % 10:
        case 0 | 4 | 8:
            turn = number // 10 * 3 + number % 10 // 4
            return _of_the_owner(chance, EACH_FIELD[turn % len(EACH_FIELD)])
        case 2 | 6:
            turn = number // 10 * 2 + number % 10 // 6
            return _of_another_text(chance, KINDS[turn % len(KINDS)])
        case 1 | 3:
            return _a_true_one(chance)
        case _:
            return _without_the_key(chance, number)


# ── by the holder of the key ─────────────────────────────────────────────────────────────────────────────────────────


def _of_the_owner(chance: Random, place: str) -> Case:
    while True:
        made = forged(chance.choice(_short()), KEY, place, chance)
        if made is not None:
            return Case(place, made.lines, is_true=False)


def _of_another_text(chance: Random, kind: str) -> Case:
    while True:
        made = forged_text(chance.choice(_short()[: len(set(REDACTED))]), KEY, _texts(), kind, chance)
        if made is not None:
            return Case(made.field, made.lines, is_true=False)


@cache
def _texts() -> dict[int, bytes]:
    """The lines of the short days by their numbers."""
    heads = [signed.head for signed in read_heads(_folder().heads)]
    return {number: line for head in heads for number, line in lines_of(_folder(), head)}


@cache
def _short() -> list[Lines]:
    """A few days whole, redacted, the last of them alone, and excerpts."""
    folder = _folder()
    last = FIRST + timedelta(days=SHORT_DAYS - 1)
    made = [exported(folder, SHORT_DAYS, kept_back=what) for what in dict.fromkeys(REDACTED)]
    made += [exported(folder, SHORT_DAYS, only=only) for only in ((5,), (1, 2, 39, 40, 41, 160))]
    made.append(exported(folder, SHORT_DAYS, only=(7, 90), kept_back=("symbols",)))
    made.append(_stripped(export(folder, KEY, last, last)))
    return made


_KEPT: list[tempfile.TemporaryDirectory[str]] = []
"""They stay until the process ends."""


@cache
def _folder() -> AccountFolder:
    _KEPT.append(tempfile.TemporaryDirectory())
    folder = written(Path(_KEPT[-1].name) / "paper", SHORT_DAYS, A_SHORT_DAY)
    sign_days(folder, KEY, over(SHORT_DAYS))
    return folder


def _stripped(lines: object) -> Lines:
    return [line.rstrip(b"\n") for line in lines]  # type: ignore[attr-defined]


# ── true ones ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _a_true_one(chance: Random) -> Case:
    """Of any range of days, of any records of them, whatever is kept back."""
    folder, days, many = chance.choice(_true())
    first = chance.randrange(days)
    last = chance.randint(first, days - 1)
    kept_back = chance.choice(REDACTED)
    only = None
    if chance.random() < 0.4:
        only = [number for number in range(1, many + 1) if chance.random() < 0.2] or [1]
        heads = [signed.head for signed in read_heads(folder.heads)]
        only.append(chance.randint(heads[first].first, heads[last].last))
    lines = export(folder, KEY, _day(folder, first), _day(folder, last), kept_back=kept_back, only=only)
    return Case("true: " + ("an excerpt" if only else "days"), _stripped(lines), is_true=True)


def _day(folder: AccountFolder, at: int) -> date:
    return date.fromisoformat(read_heads(folder.heads)[at].head.day)


@cache
def _true() -> list[tuple[AccountFolder, int, int]]:
    """Each with its days and records: one of every fact, and others with what a stranger might say in them."""
    made = [(_folder(), SHORT_DAYS, SHORT_DAYS * A_SHORT_DAY)]
    for seed in range(6):
        chance = Random(seed)
        _KEPT.append(tempfile.TemporaryDirectory())
        folder = AccountFolder(Path(_KEPT[-1].name) / "paper")
        folder.prepare()
        journal, many, days = FileJournal(folder), 0, chance.randint(1, 5)
        for day in range(days):
            at = NOON + timedelta(days=day * chance.choice([1, 1, 3]) + 5 * day)
            for _ in range(chance.choice([1, 2, 3, 8, 17])):
                at += timedelta(microseconds=chance.choice([0, 1, 999_999, 10**6, 3600 * 10**6 // 4]))
                journal.append(at, _said_by_a_stranger(chance))
                many += 1
        journal.close()
        sign_days(folder, KEY, over(60))
        made.append((folder, days, many))
    return made


def _said_by_a_stranger(chance: Random) -> CashMoved:
    words = "".join(chance.choices([*ODD, "dividend ", "SPY", "12.50"], k=chance.randint(0, 4)))
    money = Decimal(chance.choice(["0", "-0.00", "1E+3", "12.50", "-99999999.999999", "0.0000001"]))
    symbol = Symbol(chance.choice(["SPY", "BRK.B", "037833100", "", "X\u200b", "#s0"]))
    return CashMoved(
        ActivityId(chance.choice(["a-1", "\u202e", "#t0"])), FIRST, ActivityKind.FEE, Money(money), symbol, words
    )


# ── without the key, or written anew ─────────────────────────────────────────────────────────────────────────────────


def _without_the_key(chance: Random, number: int) -> Case:
    exports, earlier = _long(number % OF_A_YEAR == OF_A_YEAR - 1)
    lines = exports[chance.choice(REDACTED)]
    if chance.random() < 1 / 6:
        return Case("written anew", written_anew(exports[()], KEY, chance), is_true=False, earlier=earlier)
    while True:
        mutation = chance.choice(MUTATIONS)
        mutated = mutation(lines, chance)
        if mutated is not None and mutated != lines:
            return Case(f"without the key: {mutation.__name__}", mutated, is_true=False, earlier=earlier)


@cache
def _long(is_year: bool) -> tuple[dict[tuple[str, ...], Lines], str]:
    """Each redaction of a signed journal of a day or of a year, and its head."""
    days, a_day = (DAYS_OF_A_YEAR, A_DAY_OF_A_YEAR) if is_year else (1, A_DAY)
    with tempfile.TemporaryDirectory() as place:
        folder = written(Path(place) / "paper", days, a_day)
        sign_days(folder, KEY, over(days))
        head = read_heads(folder.heads)[-1].head.hash
        return {what: exported(folder, days, kept_back=what) for what in dict.fromkeys(REDACTED)}, head
