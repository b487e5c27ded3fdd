"""Every key of the desk, in one table. Bindings, footer, help and the README's table are made from it.

A letter means one thing everywhere, and a key that confirms names its effect. Every binding has an identifier, by which
the settings may move it; the kill chord stays readable all the same, because the driver reads it below all bindings
(OP-07).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from textual.binding import Binding, BindingType


class Place(Enum):
    """Where a key applies; the value is how the help calls it."""

    EVERYWHERE = "everywhere"
    LIST = "in a list"
    PROPOSALS = "proposals"
    POSITIONS = "positions"
    ORDERS = "orders"
    LOG = "log"
    TICKET = "ticket"
    TICKET_FORM = "a form on a ticket"
    KILL = "kill screen"
    ORDER_FORM = "new order"
    QUESTION = "a question"
    LEAVE = "leaving"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Key:
    """One line of the table.

    Attributes
    ----------
    id
        The name under which the settings know it.
    keys
        Textual's names, with commas between alternatives.
    written
        How people write it.
    action
        The Textual action that it runs, on the widget or screen of its place; `app.` for everywhere.
    is_in_footer
        Whether the footer has room for it.
    is_first
        Whether it acts before the focused widget sees the key, also over a dialog and in a text field.
    """

    id: str
    place: Place
    keys: str
    written: str
    action: str
    description: str
    is_in_footer: bool = False
    is_first: bool = False


PANES = ("proposals", "positions", "orders", "protections", "strategies", "log", "results")

_EVERYWHERE, _LIST, _TICKET, _KILL = Place.EVERYWHERE, Place.LIST, Place.TICKET, Place.KILL

KEYS: tuple[Key, ...] = (
    *(
        Key(f"pane.{name}", _EVERYWHERE, f"{number}", f"{number}", f"app.pane('{name}')", name)
        for number, name in enumerate(PANES, start=1)
    ),
    Key("pane.next", _EVERYWHERE, "tab", "Tab", "app.focus_next", "next pane"),
    Key("pane.previous", _EVERYWHERE, "shift+tab", "Shift+Tab", "app.focus_previous", "previous pane"),
    Key("exit.urgent", _EVERYWHERE, "exclamation_mark", "!", "app.urgent_exit", "most urgent exit"),
    Key("order.new", _EVERYWHERE, "n", "n", "app.new_order", "new order", is_in_footer=True),
    Key("flatten", _EVERYWHERE, "F", "F", "app.flatten", "flatten everything"),
    Key("help", _EVERYWHERE, "question_mark", "?", "app.help", "help", is_in_footer=True),
    Key("leave", _EVERYWHERE, "q", "q", "app.leave", "leave"),
    Key("leave.always", _EVERYWHERE, "ctrl+q", "Ctrl+Q", "app.leave", "leave", is_first=True),
    Key("kill", _EVERYWHERE, "ctrl+k,f10", "Ctrl+K", "app.kill", "KILL", is_in_footer=True, is_first=True),
    Key("grid.up", _LIST, "up,k", "↑ k", "up", "up"),
    Key("grid.down", _LIST, "down,j", "↓ j", "down", "down"),
    Key("grid.page_up", _LIST, "pageup", "PgUp", "page_up", "a page up"),
    Key("grid.page_down", _LIST, "pagedown", "PgDn", "page_down", "a page down"),
    Key("grid.first", _LIST, "home", "Home", "first", "first"),
    Key("grid.last", _LIST, "end", "End", "last", "last"),
    Key("grid.open", _LIST, "enter", "Enter", "open", "open", is_in_footer=True),
    Key("proposal.decline", Place.PROPOSALS, "x", "x", "decline", "decline", is_in_footer=True),
    Key("position.close", Place.POSITIONS, "c", "c", "close", "close", is_in_footer=True),
    Key("order.cancel", Place.ORDERS, "d", "d", "cancel", "cancel", is_in_footer=True),
    Key("log.follow", Place.LOG, "f", "f", "follow", "follow", is_in_footer=True),
    Key("ticket.buy", _TICKET, "B", "B", "confirm('B')", "buy to open"),
    Key("ticket.short", _TICKET, "H", "H", "confirm('H')", "sell short"),
    Key("ticket.sell", _TICKET, "S", "S", "confirm('S')", "sell to close"),
    Key("ticket.cover", _TICKET, "C", "C", "confirm('C')", "buy to cover"),
    Key("ticket.replace", _TICKET, "R", "R", "confirm('R')", "replace"),
    Key("ticket.edit", _TICKET, "e", "e", "edit", "edit", is_in_footer=True),
    Key("ticket.review", _TICKET, "r", "r", "review", "review again", is_in_footer=True),
    Key("ticket.decline", _TICKET, "x", "x", "decline", "decline", is_in_footer=True),
    Key("ticket.next", _TICKET, "right_square_bracket", "]", "next_ticket", "next ticket", is_in_footer=True),
    Key("ticket.urgent", _TICKET, "exclamation_mark", "!", "urgent", "most urgent exit"),
    Key("ticket.back", _TICKET, "escape", "Esc", "back", "put aside", is_in_footer=True),
    Key("ticket_form.do", Place.TICKET_FORM, "enter", "Enter", "submit", "do it", is_in_footer=True),
    Key("ticket_form.back", Place.TICKET_FORM, "escape", "Esc", "back", "back", is_in_footer=True),
    Key("kill.kill", _KILL, "K", "K", "kill", "kill: cancel entries and stay shut", is_in_footer=True),
    Key("kill.flatten", _KILL, "F", "F", "flatten", "flatten", is_in_footer=True),
    Key("kill.resume", _KILL, "escape", "Esc", "resume", "resume", is_in_footer=True),
    Key("form.stage", Place.ORDER_FORM, "enter", "Enter", "submit", "stage it as a proposal", is_in_footer=True),
    Key("form.next", Place.ORDER_FORM, "down", "↓ Tab", "app.focus_next", "next field"),
    Key("form.previous", Place.ORDER_FORM, "up", "↑", "app.focus_previous", "previous field"),
    Key("form.all", Place.ORDER_FORM, "f2", "F2", "size('1')", "size by the whole risk"),
    Key("form.half", Place.ORDER_FORM, "f3", "F3", "size('0.5')", "half of it"),
    Key("form.quarter", Place.ORDER_FORM, "f4", "F4", "size('0.25')", "a quarter"),
    Key("form.back", Place.ORDER_FORM, "escape", "Esc", "back", "back", is_in_footer=True),
    Key("question.do", Place.QUESTION, "D", "D", "answer", "cancel it", is_in_footer=True),
    Key("question.back", Place.QUESTION, "escape", "Esc", "back", "keep it", is_in_footer=True),
    Key("leave.leave", Place.LEAVE, "y", "y", "leave", "leave", is_in_footer=True),
    Key("leave.stay", Place.LEAVE, "escape", "Esc", "back", "stay", is_in_footer=True),
    Key("help.back", Place.HELP, "escape", "Esc", "back", "back", is_in_footer=True),
)

LISTS = frozenset({Place.PROPOSALS, Place.POSITIONS, Place.ORDERS, Place.LOG})
DIALOGS = frozenset(
    {Place.TICKET, Place.TICKET_FORM, Place.KILL, Place.ORDER_FORM, Place.QUESTION, Place.LEAVE, Place.HELP}
)


def bindings_for(place: Place) -> list[BindingType]:
    """What a widget, a screen or the app puts into its `BINDINGS`."""
    return [
        Binding(
            key.keys,
            key.action,
            key.description,
            show=key.is_in_footer,
            key_display=key.written,
            priority=key.is_first,
            id=key.id,
        )
        for key in _of(place)
    ]


def footer(place: Place) -> str:
    """The line under the panes while `place` has the keyboard."""
    return "  ".join(f"{key.written} {key.description}" for key in _reachable(place) if key.is_in_footer)


def help_rows(place: Place) -> list[tuple[str, str, str]]:
    """Where, key and description of everything that a key can do at `place`, the nearest first."""
    return [(key.place.value, _written(key), key.description) for key in _reachable(place)]


def readme_table() -> str:
    """The table of the README, in markdown."""
    lines = ["| where | keys |", "| --- | --- |"]
    for place in Place:
        keys = " · ".join(f"`{_written(key)}` {key.description}" for key in _of(place))
        lines.append(f"| {place.value} | {keys} |")
    return "\n".join(lines)


def _of(place: Place) -> Iterable[Key]:
    return [key for key in KEYS if key.place is place]


def _reachable(place: Place) -> Iterable[Key]:
    """A dialog lets only those keys through that act before everything."""
    around = [key for key in _of(Place.EVERYWHERE) if key.is_first or place not in DIALOGS]
    if place is Place.EVERYWHERE:
        return around
    return [*(_of(Place.LIST) if place in LISTS else ()), *_of(place), *around]


def _written(key: Key) -> str:
    return "Ctrl+K or F10" if key.id == "kill" else key.written
