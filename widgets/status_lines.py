"""The two lines that are always there, and what must not be missed: killed, halted, read-only, exits that wait.

Each state differs in words, not in colour alone. The banner of a killed desk begins with KILLED (OP-07).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from core.model.account import Mode
from core.views import DeskView, StatusView
from widgets import format as f
from widgets.grid_picture import Tone
from widgets.lines import Cell, Lines, TextLine, spread

STALE_AFTER = timedelta(seconds=90)
"""A quote older than this is named as stale; minute bars alone renew it once a minute."""
WIDE = 100


class StatusLines(Lines):
    """Two lines and the banners; grows with them."""

    DEFAULT_CSS = """
    StatusLines { background: $panel; padding: 0 1; }
    """

    def show_state(self, text: str, width: int, tone: Tone = "") -> None:
        """Before there is a picture: what the desk is doing."""
        self.show([spread((Cell("KEYTURN", "strong"),), (), width), (Cell(text, tone),)])

    def show_desk(self, view: DeskView, now: datetime, width: int, ended: str | None) -> None:
        status = view.status
        lines = [_first(status, now, width), _second(status, width)]
        if ended is not None:
            lines.append((Cell(f"ENGINE STOPPED: {ended}. Nothing is sent any more. q leaves.", "urgent"),))
        self.show([*lines, *_banners(view, now)])


def _first(status: StatusView, now: datetime, width: int) -> TextLine:
    is_live = status.mode is Mode.LIVE
    badge = Cell(" LIVE, REAL MONEY " if is_live else " PAPER ", "urgent" if is_live else "strong")
    if status.market_closes_at is not None:
        market = f"open {f.long_span(status.market_closes_at - now)}"
    elif status.market_opens_at is not None:
        market = f"CLOSED, opens in {f.long_span(status.market_opens_at - now)}"
    else:
        market = "CLOSED"
    profile = f"  {status.profile}" if width >= WIDE else ""
    left = (
        Cell("KEYTURN ", "strong"),
        badge,
        Cell(f" {status.account}{profile}  {f.weekday_clock(now)} New York, {market}"),
    )
    return spread(left, _data(status, now), width)


def _data(status: StatusView, now: datetime) -> TextLine:
    if status.quote_at is None:
        return (Cell("no quote yet", "muted"),)
    is_stale = now - status.quote_at > STALE_AFTER
    word = "quote STALE" if is_stale else "quote"
    return (Cell(f"{word} {f.age(status.quote_at, now)} {status.feed}", "warning" if is_stale else ""),)


def _second(status: StatusView, width: int) -> TextLine:
    power = "buying power" if width >= WIDE else "power"
    left = (
        Cell("USD ", "muted"),
        Cell("equity ", "muted"),
        Cell(f.money(status.equity), "strong"),
        Cell("  day ", "muted"),
        Cell(f"{f.signed(status.day_change)} {f.signed_percent(status.day_fraction)}", f.tone_of(status.day_change)),
        Cell(f"  {power} ", "muted"),
        Cell(f.money(status.buying_power)),
    )
    entries = Cell("ENTRIES ON") if status.entries_refused is None else Cell("ENTRIES OFF", "warning")
    exits = Cell("EXITS ON") if status.exits_refused is None else Cell("EXITS OFF", "urgent")
    return spread(left, (entries, Cell("  "), exits), width)


def _left(view: DeskView) -> str:
    """What is still open on a killed desk."""
    entries, stops, held = len(view.kill.entries_working), len(view.kill.stops_working), len(view.positions)
    return f"{entries} {'entry' if entries == 1 else 'entries'}, {stops} stop{'s' * (stops != 1)}, {held} held"


def halts_in_words(status: StatusView) -> str:
    """`by key; invariant: …`."""
    return "; ".join(halt.removeprefix("key: ") for halt in status.halts)


def _banners(view: DeskView, now: datetime) -> list[TextLine]:
    status = view.status
    lines: list[TextLine] = []
    if status.killed_by is not None:
        head = f"KILLED since {f.clock(status.killed_at)} by {status.killed_by}: {_left(view)}."
        lines.append((Cell(f"{head} Ctrl+K, type REARM", "urgent"),))
    elif status.halts:
        text = f"HALTED since {f.clock(status.halted_at)} {halts_in_words(status)}. No entries. Ctrl+K: the way out"
        lines.append((Cell(text, "urgent"),))
    elif status.word == "starting":
        lines.append((Cell("STARTING: comparing the books with the broker; nothing is sent before.", "strong"),))
    elif status.entries_refused is not None:
        lines.append((Cell(status.entries_refused.replace("read-only:", "READ-ONLY:"), "warning"),))
    if status.disk is not None:
        lines.append((Cell(f"DISK: {status.disk}", "urgent"),))
    exits = [row for row in view.proposals if row.is_urgent]
    if exits:
        first = exits[0]
        more = f", {len(exits) - 1} more" if len(exits) > 1 else ""
        what = f"{f.doing(first.side, first.effect)} {f.quantity(first.quantity)} {first.symbol}"
        waited = f.count_up(first.staged_at, now)
        lines.append((Cell(f"!  EXIT WAITS  {what}, {waited}{more}", "warning"), Cell("   ! opens it", "muted")))
    return lines
