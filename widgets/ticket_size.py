"""How an entry was sized, on a ticket: the risk, each term with its factor, and omitted terms (RK-10)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from core.model.sizing import Size, Term
from widgets import format as f

MOST = 2
"""Most lines: a ticket that is cut cannot be confirmed."""


def size_in_words(size: Size, room: int) -> str:
    """Format `risk 1.50 USD × ATR 1 × VIX 0.5 (elevated); left out: half-Kelly (2 of 30 trades yet)`.

    Every term and factor is included. Reasons are included if they fit in two lines of `room` cells: those of omitted
    terms are dropped first, then those of the terms.
    """
    *longer, shortest = _forms(size)
    return next((form for form in longer if len(textwrap.wrap(form, room)) <= MOST), shortest)


def _forms(size: Size) -> Iterator[str]:
    risk = "risk not known" if size.risk is None else f"risk {f.money(size.risk)} USD"
    reasoned = " × ".join([risk, *(_term(term, term.cuts) for term in size.terms)])
    short = " × ".join([risk, *(_term(term, False) for term in size.terms)])
    if not size.left_out:
        yield from (reasoned, short)
        return
    why = ", ".join(f"{left.name} ({left.why})" for left in size.left_out)
    names = ", ".join(left.name for left in size.left_out)
    yield from (f"{factors}; left out: {left}" for factors in (reasoned, short) for left in (why, names))


def _term(term: Term, is_reasoned: bool) -> str:
    told = f"{term.name} {term.factor.normalize():f}"
    return f"{told} ({term.words})" if is_reasoned else told
