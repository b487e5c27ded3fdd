"""Parse the drafts and questions of agents into values of the vocabulary, strictly (OP-09, SY-06).

Every text comes from outside. What is not exactly a symbol, a number, a time or a word of the tables raises
`TermsError`, whose line names the field, the text and what to write.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import TypeVar

from core.model.draft import (
    CheckedFact,
    DraftAnswer,
    DraftFact,
    DraftRefusal,
    DraftRequest,
    DraftTerms,
    FactResult,
)
from core.model.fact_fields import is_of_a_symbol, terms_named
from core.model.instrument import SYMBOL
from core.model.order import Effect, OrderType, TimeInForce
from core.model.text_sanitizer import foreign
from core.model.values import MOST_PLACES, Fraction, Price, Quantity, Symbol, is_number, number_in, plain
from core.protocol.agent_frames import (
    LONGEST_KEY,
    LONGEST_REASON,
    LONGEST_SHOWN,
    LONGEST_TEXT,
    MOST_FACTS,
    Compared,
    Judged,
    Stated,
    SubmitDraft,
    Terms,
)
from core.protocol.fact_values import EXAMPLES, time_in, value_in

EFFECTS: Mapping[str, Effect] = {
    "buy": Effect.OPEN,
    "short": Effect.SHORT,
    "sell": Effect.CLOSE,
    "cover": Effect.COVER,
}
"""The words of a side; a buy beside a position that the operator holds adds to it."""
TYPES: Mapping[str, OrderType] = {"limit": OrderType.LIMIT, "market": OrderType.MARKET}
TIMES: Mapping[str, TimeInForce] = {each.value: each for each in TimeInForce}
KEY = re.compile(rf"[A-Za-z0-9._:-]{{1,{LONGEST_KEY}}}")
STRATEGY = re.compile(r"[a-z][a-z0-9_]{0,31}")
FIELD = re.compile(r"[a-z0-9_]{1,32}")
LONGEST_SOURCE = 80
MOST_FACT_PLACES = 20
"""Decimals of a fact: an average has as many as a division gives."""

E = TypeVar("E", bound=Enum)


class TermsError(ValueError):
    """A field of a draft that is not taken; the message is one line that says what to write."""


def draft_of(frame: SubmitDraft) -> DraftRequest:
    """Parse a draft. Raises `TermsError`."""
    if len(frame.facts) > MOST_FACTS:
        raise TermsError(f"{len(frame.facts)} facts, {MOST_FACTS} at most: state those that the draft rests on")
    terms = terms_of(frame.terms)
    return DraftRequest(
        key=key_of(frame.key),
        terms=terms,
        reason=_reason(frame.reason),
        facts=tuple(_fact(stated, terms.symbol) for stated in frame.facts),
        confidence=_confidence(frame.confidence),
    )


def key_of(text: str) -> str:
    """Return the key of a draft. Raises `TermsError`."""
    if not KEY.fullmatch(text):
        raise TermsError(f"key '{_shown(text)}': 1 to {LONGEST_KEY} of A-Z, a-z, 0-9 and . _ : -")
    return text


def terms_of(terms: Terms) -> DraftTerms:
    """Parse the terms of an order. Raises `TermsError`."""
    symbol = symbol_of(terms.symbol)
    effect = _word("side", terms.side, EFFECTS)
    kind = _word("type", terms.type, TYPES)
    limit = _price("limit_price", terms.limit_price)
    stop, target = _price("stop_price", terms.stop_price), _price("target_price", terms.target_price)
    if kind.has_limit and limit is None:
        raise TermsError("limit_price is missing: a limit order needs one, as 510.20")
    if not kind.has_limit and limit is not None:
        raise TermsError("limit_price: a market order has none; leave it out, or use type limit")
    if effect.only_reduces and (stop is not None or target is not None):
        raise TermsError(f"stop_price and target_price are of entries; leave them out of a {terms.side}")
    quantity = _figure("quantity", terms.quantity)
    return DraftTerms(
        symbol=symbol,
        effect=effect,
        quantity=None if quantity is None else Quantity(quantity),
        type=kind,
        limit_price=limit,
        stop_price=stop,
        target_price=target,
        time_in_force=_word("time_in_force", terms.time_in_force, TIMES),
        strategy=_strategy(terms.strategy),
    )


def symbol_of(text: str) -> Symbol:
    """Return a symbol; a letter that only looks like one of A-Z is named. Raises `TermsError`."""
    if SYMBOL.fullmatch(text):
        return Symbol(text)
    strange = next((letter for letter in text if not letter.isascii()), None)
    if strange is not None:
        name = unicodedata.name(strange, f"U+{ord(strange):04X}")
        raise TermsError(f"symbol '{_shown(text)}' has {name} (U+{ord(strange):04X}); write it in A-Z, as SPY")
    raise TermsError(f"symbol '{_shown(text)}': write it in A-Z, 0-9, . and /, as SPY")


def judged(call: int, answer: DraftAnswer, *, hides_amounts: bool, is_sized: bool) -> Judged:
    """Return the frame of an answer.

    With `hides_amounts` it leaves out the desk's figures, and a quantity that the desk computed.
    """
    quantity = answer.quantity if not (hides_amounts and is_sized) else None
    reasons = answer.reasons
    if hides_amounts and answer.code in WITH_AMOUNTS:
        reasons = tuple(map(_without_amounts, reasons))
    return Judged(
        call,
        answer.key,
        answer.number,
        "" if quantity is None else plain(quantity),
        "" if answer.code is None else answer.code.value,
        tuple(foreign(reason) for reason in reasons),
        tuple(
            Compared(
                one.fact.symbol,
                one.fact.field,
                plain(one.fact.value),
                *_compared(one, hides=hides_amounts and is_amount(one)),
            )
            for one in answer.facts
        ),
    )


def _compared(one: CheckedFact, *, hides: bool) -> tuple[str, str, str]:
    """Return the result, the desk's figure and the reason."""
    if hides:
        return FactResult.UNKNOWN.value, "", "this agent is not told amounts"
    return one.result.value, "" if one.ours is None else plain(one.ours), one.why


WITH_AMOUNTS = frozenset({DraftRefusal.CHECKS, DraftRefusal.SIZE})
"""Codes whose reasons may name quantities and amounts of the account."""


def is_amount(one: CheckedFact) -> bool:
    """Whether comparing this fact would tell an amount of the account; a guard's use is one."""
    terms = terms_named(one.fact.field)
    return one.result is not FactResult.UNKNOWN if terms is None else terms.is_amount


def _without_amounts(reason: str) -> str:
    """Return the name of the check that refused, if the reason begins with one."""
    check, colon, _ = reason.partition(":")
    by = check if colon and check.isidentifier() else "the desk's checks"
    return f"refused by {by}; this agent is not told amounts: draft less, or another symbol"


def _reason(text: str) -> str:
    one_line = " ".join(text.split())
    if not one_line:
        raise TermsError("reason is missing: say in a sentence why")
    if len(one_line) > LONGEST_REASON:
        raise TermsError(f"reason has {len(one_line)} characters, {LONGEST_REASON} at most: shorten it")
    return foreign(one_line)


def text_of(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return the line that an agent says. Raises `TermsError`."""
    one_line = " ".join(text.split())
    if not 0 < len(one_line) <= longest:
        raise TermsError(f"text has {len(one_line)} characters: 1 to {longest}, in one line")
    return foreign(one_line)


def day_of(text: str) -> date:
    """Return the day that a text is a summary of. Raises `TermsError`."""
    with suppress(ValueError):
        if (found := date.fromisoformat(text)).isoformat() == text:
            return found
    raise TermsError(f"day '{_shown(text)}': a date as 2026-11-19")


def _strategy(text: str) -> str:
    if text and not STRATEGY.fullmatch(text):
        raise TermsError(f"strategy '{_shown(text)}': a name as momentum, or leave it out")
    return text


def _fact(stated: Stated, own: Symbol) -> DraftFact:
    if not FIELD.fullmatch(stated.field):
        raise TermsError(f"fact '{_shown(stated.field)}': a field is small letters, digits and _, as price")
    terms = terms_named(stated.field)
    unit = None if terms is None else terms.unit
    value = value_in(stated.value, unit)
    if value is None or not _is_short(value, MOST_FACT_PLACES):
        raise TermsError(f"fact {stated.field}: value '{_shown(stated.value)}' is not taken; write {EXAMPLES[unit]}")
    at, clock = _time(stated.field, stated.at)
    unnamed = own if terms is not None and is_of_a_symbol(stated.field) else ""
    return DraftFact(
        symbol=symbol_of(stated.symbol) if stated.symbol else unnamed,
        field=stated.field,
        value=value,
        at=at,
        source=foreign(stated.source)[:LONGEST_SOURCE],
        clock=clock,
    )


def _time(field: str, text: str) -> tuple[datetime | None, time | None]:
    """Return a time, or a clock of the exchange; neither for an empty text."""
    if not text:
        return None, None
    found = time_in(text)
    if found is None:
        words = "write ISO 8601 with an offset as 2026-01-05T14:30:00Z, seconds of the epoch, or the exchange's 09:45"
        raise TermsError(f"fact {field}: at '{_shown(text)}' is no time; {words}")
    return (found, None) if isinstance(found, datetime) else (None, found)


def _confidence(text: str) -> Fraction | None:
    if not text:
        return None
    number = number_in(text)
    if number is None or not _is_short(number, MOST_PLACES) or not 0 <= number <= 1:
        raise TermsError(f"confidence '{_shown(text)}': a number from 0 to 1, as 0.6, or leave it out")
    return Fraction(number)


def _price(name: str, text: str) -> Price | None:
    number = _figure(name, text)
    return None if number is None else Price(number)


def _figure(name: str, text: str) -> Decimal | None:
    """Parse a number above zero; None for an empty text."""
    if not text:
        return None
    number = number_in(text)
    if number is None or not is_number(number) or number <= 0:
        raise TermsError(f"{name} '{_shown(text)}' is no number above zero, as 510.20")
    if not _is_short(number, MOST_PLACES):
        raise TermsError(f"{name} '{_shown(text)}' has more than {MOST_PLACES} decimals; round it")
    return number


def _is_short(number: Decimal, places: int) -> bool:
    """Whether it is within bounds and has at most so many decimals: a number of any exponent crosses no socket."""
    exponent = number.as_tuple().exponent
    return is_number(number) and isinstance(exponent, int) and -places <= exponent <= MOST_PLACES


def _word(name: str, text: str, table: Mapping[str, E]) -> E:
    found = table.get(text)
    if found is None:
        raise TermsError(f"{name} '{_shown(text)}': one of {', '.join(table)}")
    return found


def _shown(text: str) -> str:
    return foreign(text[:LONGEST_SHOWN])
