"""Every key of the desk in one table, the source of bindings, footer, help, commands and the table in docs/USE.md.

A letter has one meaning in one place, and a confirming key names its effect. Each line has an id by which the settings
may change it (`console.key_remapping` checks that); the kill chord is fixed, because the driver reads it below all
bindings (OP-07). One process has one desk: the current keys are kept here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING

from core.model.lazy_dataclass import dataclass
from core.model.order import Effect
from core.model.order import confirming_key as confirming_letter
from core.model.values import ClientOrderId

if TYPE_CHECKING:
    from textual.binding import BindingType


class KeyScope(Enum):
    """Where a key applies; the value is its name in the help."""

    EVERYWHERE = "everywhere"
    LIST = "in a list"
    PROPOSALS = "proposals"
    POSITIONS = "positions"
    ORDERS = "orders"
    PROTECTIONS = "protections"
    STRATEGIES = "strategies"
    LOG = "log"
    RESULTS = "results"
    CHART = "chart"
    HISTORY = "history"
    WATCH = "watch"
    TICKET = "ticket"
    BASKET = "basket"
    KILL = "kill screen"
    ORDER_FORM = "new order"
    WATCHLIST = "a watchlist"
    QUESTION = "a question"
    LEAVE = "leaving"
    OVERRIDE = "overriding"
    FIELD = "a line to type"
    FILTER = "log filter"
    COMMANDS = "commands"
    READING = "help and details"
    ADVICE = "advice"
    DRAFT = "a draft"
    GUIDE = "the guide"
    HELP = "the help"


@dataclass(frozen=True, slots=True)
class Key:
    """One line of the table.

    Attributes
    ----------
    id
        The name used in the settings.
    keys
        Textual's names, separated by commas; empty if only the command list has it.
    written
        How people write it.
    action
        The Textual action that it runs on the widget or screen of its place; `app.` for everywhere.
    is_in_footer
        Whether the footer shows it.
    is_first
        Whether it acts before the focused widget sees the key, also over a dialog and in a text field.
    is_fixed
        Whether the settings may not change it.
    in_footer
        A shorter description for the footer.
    """

    id: str
    place: KeyScope
    keys: str
    written: str
    action: str
    description: str
    is_in_footer: bool = False
    is_first: bool = False
    is_fixed: bool = False
    in_footer: str = ""


PANES = (
    KeyScope.PROPOSALS,
    KeyScope.POSITIONS,
    KeyScope.ORDERS,
    KeyScope.PROTECTIONS,
    KeyScope.STRATEGIES,
    KeyScope.LOG,
    KeyScope.RESULTS,
    KeyScope.WATCH,
    KeyScope.CHART,
    KeyScope.HISTORY,
)
"""Each pane has the name of its key scope."""
NUMBERS = dict(zip(PANES, "1234567890", strict=True))
"""The key of each pane; an eleventh needs another key here."""
DIALOGS = frozenset({*KeyScope} - {*PANES} - {KeyScope.EVERYWHERE, KeyScope.LIST})

KILL_KEY, KILL_KEY_OF_ANY_LAYOUT = "Ctrl+K", "F10"

_EVERYWHERE, _LIST, _TICKET, _KILL = KeyScope.EVERYWHERE, KeyScope.LIST, KeyScope.TICKET, KeyScope.KILL
_FIELD, _READING, _FORM = KeyScope.FIELD, KeyScope.READING, KeyScope.ORDER_FORM

KEYS: tuple[Key, ...] = (
    *(
        Key(f"pane.{pane.value}", _EVERYWHERE, number, number, f"app.pane('{pane.value}')", pane.value)
        for pane, number in NUMBERS.items()
    ),
    Key("pane.next", _EVERYWHERE, "tab", "Tab", "app.focus_next", "next pane"),
    Key("pane.previous", _EVERYWHERE, "shift+tab", "Shift+Tab", "app.focus_previous", "previous pane"),
    Key("pane.zoom", _EVERYWHERE, "z", "z", "app.zoom", "the whole screen for this pane, or back"),
    Key("layout", _EVERYWHERE, "L", "L", "app.layout", "another layout: trade, watch, review, yours"),
    Key("exit.urgent", _EVERYWHERE, "exclamation_mark", "!", "app.urgent_exit", "most urgent exit"),
    Key("order.new", _EVERYWHERE, "n", "n", "app.new_order", "new order", is_in_footer=True),
    Key("basket", _EVERYWHERE, "p", "p", "app.basket", "basket: sign many at once"),
    Key("flatten", _EVERYWHERE, "F", "F", "app.flatten", "flatten everything"),
    Key("key.take", _EVERYWHERE, "T", "T", "app.take_key", "take the key"),
    Key("row.copy", _EVERYWHERE, "Y", "Y", "app.copy_row", "copy the row; an order with its id"),
    Key("pane.export", _EVERYWHERE, "E", "E", "app.export_pane", "export the pane as CSV"),
    Key("halt.way_out", _EVERYWHERE, "U,K", "U K", "app.way_out", "how a halt or read-only ends"),
    Key("advice", _EVERYWHERE, "A", "A", "app.advice", "advice"),
    Key("help", _EVERYWHERE, "question_mark", "?", "app.help", "help", is_in_footer=True),
    Key("commands", _EVERYWHERE, "ctrl+p", "Ctrl+P", "app.commands", "commands"),
    Key("commands.too", _EVERYWHERE, "colon", ":", "app.commands", "commands, where a terminal keeps Ctrl+P"),
    Key("theme", _EVERYWHERE, "ctrl+t", "Ctrl+T", "app.wear", "another theme, kept for the next start"),
    *(
        Key(f"theme.{name}", _EVERYWHERE, "", "", f"app.wear('{name}')", f"theme: {name}", is_fixed=True)
        for name in ("keyturn", "light", "colour-blind", "high-contrast")
    ),
    Key("guide", _EVERYWHERE, "", "", "app.guide", "the guide of the first start", is_fixed=True),
    Key("tour", _EVERYWHERE, "", "", "app.tour", "the tour, from its beginning or off", is_fixed=True),
    Key("layout.keep", _EVERYWHERE, "", "", "app.keep_layout", "keep this layout under a name", is_fixed=True),
    Key("broker.answers", _EVERYWHERE, "", "", "app.broker_answers", "latencies, refusals, calls", is_fixed=True),
    Key("away", _EVERYWHERE, "", "", "app.while_away", "what happened while you were away", is_fixed=True),
    Key("breaker.clear", _EVERYWHERE, "", "", "app.clear_breaker", "clear the breaker of entries", is_fixed=True),
    Key("limits.reload", _EVERYWHERE, "", "", "app.reload_limits", "reload the limits", is_fixed=True),
    Key(
        "activities.compare",
        _EVERYWHERE,
        "",
        "",
        "app.compare_activities",
        "compare the broker's activities",
        is_fixed=True,
    ),
    Key("lists", _EVERYWHERE, "", "", "app.lists", "lists of symbols that open nothing", is_fixed=True),
    Key("engine.stop", _EVERYWHERE, "", "", "app.stop_engine", "stop the engine", is_fixed=True),
    Key("leave", _EVERYWHERE, "q", "q", "app.leave", "leave"),
    Key("leave.always", _EVERYWHERE, "ctrl+q", "Ctrl+Q", "app.leave", "leave", is_first=True),
    Key("suspend", _EVERYWHERE, "ctrl+z", "Ctrl+Z", "app.stay_awake", "off", is_first=True, is_fixed=True),
    Key(
        "kill", _EVERYWHERE, "ctrl+k,f10", KILL_KEY, "app.kill", "KILL", is_in_footer=True, is_first=True, is_fixed=True
    ),
    Key("grid.up", _LIST, "up,k", "↑ k", "up", "up"),
    Key("grid.down", _LIST, "down,j", "↓ j", "down", "down"),
    Key("grid.page_up", _LIST, "pageup", "PgUp", "page_up", "a page up"),
    Key("grid.page_down", _LIST, "pagedown", "PgDn", "page_down", "a page down"),
    Key("grid.first", _LIST, "home", "Home", "first", "first"),
    Key("grid.last", _LIST, "end", "End", "last", "last"),
    Key("grid.open", _LIST, "enter", "Enter", "open", "open", is_in_footer=True),
    Key("proposal.decline", KeyScope.PROPOSALS, "x", "x", "want('decline')", "decline", is_in_footer=True),
    Key("symbol.refuse", KeyScope.PROPOSALS, "X", "X", "want('refuse symbol')", "not this symbol today"),
    Key(
        "proposal.pause",
        KeyScope.PROPOSALS,
        "s",
        "s",
        "want('pause its strategy')",
        "pause its strategy on this symbol",
    ),
    Key("proposal.close", KeyScope.PROPOSALS, "c", "c", "app.of_symbol('close symbol')", "close what is held of it"),
    Key("proposal.alert", KeyScope.PROPOSALS, "plus", "+", "app.of_symbol('alert')", "an alert on its symbol"),
    Key("position.close", KeyScope.POSITIONS, "c", "c", "want('close')", "close", is_in_footer=True),
    Key("position.half", KeyScope.POSITIONS, "h", "h", "want('close half')", "close half", True, in_footer="half"),
    Key(
        "position.even",
        KeyScope.POSITIONS,
        "b",
        "b",
        "want('break even')",
        "stop to break-even",
        is_in_footer=True,
        in_footer="break-even",
    ),
    Key("position.stop", KeyScope.POSITIONS, "m", "m", "want('move stop')", "move stop", True, in_footer="stop"),
    Key("position.trail", KeyScope.POSITIONS, "t", "t", "want('trail')", "trailing stop", True, in_footer="trail"),
    Key("position.target", KeyScope.POSITIONS, "g", "g", "want('target')", "target", is_in_footer=True),
    Key("position.reverse", KeyScope.POSITIONS, "v", "v", "want('reverse')", "reverse"),
    Key("position.alert", KeyScope.POSITIONS, "plus", "+", "app.of_symbol('alert')", "an alert on its symbol"),
    Key("position.sort_back", KeyScope.POSITIONS, "less_than_sign", "<", "sort(-1)", "sort by the column before"),
    Key("position.sort", KeyScope.POSITIONS, "greater_than_sign", ">", "sort(1)", "sort by the next column"),
    Key("position.risk", KeyScope.POSITIONS, "r", "r", "want('risk')", "losses by scenario"),
    Key("position.rules", KeyScope.POSITIONS, "w", "w", "want('exit rules')", "exit rules watch it, or not"),
    Key("position.attended", KeyScope.POSITIONS, "u", "u", "want('attended')", "signed exits need your key again"),
    Key("order.cancel", KeyScope.ORDERS, "d", "d", "want('cancel')", "cancel", is_in_footer=True),
    Key(
        "entries.symbol",
        KeyScope.ORDERS,
        "x",
        "x",
        "want('cancel entries')",
        "cancel the entries of its symbol",
        is_in_footer=True,
        in_footer="symbol's entries",
    ),
    Key(
        "entries.all",
        KeyScope.ORDERS,
        "X",
        "X",
        "all_entries",
        "cancel all entries",
        is_in_footer=True,
        in_footer="all entries",
    ),
    Key("order.edit", KeyScope.ORDERS, "e", "e", "want('edit')", "edit", is_in_footer=True),
    Key("order.why", KeyScope.ORDERS, "w", "w", "want('why')", "why", is_in_footer=True),
    Key("order.warning", KeyScope.ORDERS, "W", "W", "want('warning')", "the broker's warning"),
    Key("order.close", KeyScope.ORDERS, "c", "c", "app.of_symbol('close symbol')", "close what is held of its symbol"),
    Key("order.alert", KeyScope.ORDERS, "plus", "+", "app.of_symbol('alert')", "an alert on its symbol"),
    Key("order.all", KeyScope.ORDERS, "a", "a", "all", "what was blocked or refused too, and why"),
    Key("protection.override", KeyScope.PROTECTIONS, "o", "o", "want('override')", "override", is_in_footer=True),
    Key("protection.all", KeyScope.PROTECTIONS, "a", "a", "all", "show all", is_in_footer=True),
    Key("strategy.pause", KeyScope.STRATEGIES, "space", "Space", "want('pause')", "pause or resume", is_in_footer=True),
    Key(
        "strategy.pause_here",
        KeyScope.STRATEGIES,
        "s",
        "s",
        "want('pause here')",
        "pause or resume on this symbol alone",
        is_in_footer=True,
        in_footer="this symbol alone",
    ),
    Key("strategy.more", KeyScope.STRATEGIES, "plus", "+", "want('more')", "adopt the allocation that is proposed"),
    Key("strategy.no_more", KeyScope.STRATEGIES, "minus", "-", "want('no more')", "decline it"),
    Key("log.filter", KeyScope.LOG, "slash", "/", "filter", "filter", is_in_footer=True),
    Key("log.clear", KeyScope.LOG, "escape", "Esc", "clear_filter", "clear the filter"),
    Key("log.follow", KeyScope.LOG, "f", "f", "follow", "follow", is_in_footer=True),
    Key("log.write", KeyScope.LOG, "o", "o", "write", "write to a file"),
    Key(
        "chart.shorter",
        KeyScope.CHART,
        "less_than_sign",
        "<",
        "timeframe(-1)",
        "shorter bars",
        True,
        in_footer="shorter",
    ),
    Key(
        "chart.longer",
        KeyScope.CHART,
        "greater_than_sign",
        ">",
        "timeframe(1)",
        "longer bars",
        True,
        in_footer="longer",
    ),
    Key("chart.overlay", KeyScope.CHART, "i", "i", "overlay", "overlay", is_in_footer=True),
    Key("chart.style", KeyScope.CHART, "l", "l", "style", "candles or line", True, in_footer="line"),
    Key("chart.left", KeyScope.CHART, "left", "←", "cross(-1)", "crosshair to the left"),
    Key("chart.right", KeyScope.CHART, "right", "→", "cross(1)", "crosshair to the right"),
    Key("chart.close", KeyScope.CHART, "c", "c", "app.of_symbol('close symbol')", "close what is held of it"),
    Key("chart.alert", KeyScope.CHART, "plus", "+", "app.of_symbol('alert')", "an alert on it"),
    Key("chart.no_cross", KeyScope.CHART, "escape", "Esc", "clear_cross", "without crosshair"),
    Key("watch.add", KeyScope.WATCH, "a", "a", "want('add symbol')", "add a symbol", True, in_footer="add"),
    Key("watch.remove", KeyScope.WATCH, "d", "d", "remove", "remove from the list", True, in_footer="remove"),
    Key("watch.edit", KeyScope.WATCH, "e", "e", "want('edit list')", "edit the list", True, in_footer="edit list"),
    Key("watch.alert", KeyScope.WATCH, "plus", "+", "app.of_symbol('alert')", "alert", is_in_footer=True),
    Key(
        "symbol.list",
        KeyScope.WATCH,
        "g",
        "g",
        "list_symbol",
        "lists that block its entries",
        True,
        in_footer="lists",
    ),
    Key("watch.close", KeyScope.WATCH, "c", "c", "app.of_symbol('close symbol')", "close what is held"),
    Key("watch.list_before", KeyScope.WATCH, "less_than_sign", "<", "turn(-1)", "the list before"),
    Key("watch.list_after", KeyScope.WATCH, "greater_than_sign", ">", "turn(1)", "the next list"),
    Key("results.shorter", KeyScope.RESULTS, "less_than_sign", "<", "turn(-1)", "a shorter period, a later month"),
    Key(
        "results.longer",
        KeyScope.RESULTS,
        "greater_than_sign",
        ">",
        "turn(1)",
        "this week, this month, 63 sessions, the months before",
        True,
        in_footer="week, month",
    ),
    Key(
        "results.group",
        KeyScope.RESULTS,
        "g",
        "g",
        "group",
        "by strategy, symbol, half-hour, regime, exit reason",
        True,
        in_footer="by symbol, hour …",
    ),
    Key("history.filter", KeyScope.HISTORY, "slash", "/", "filter", "filter", is_in_footer=True),
    Key("history.clear", KeyScope.HISTORY, "escape", "Esc", "clear_filter", "clear the filter"),
    Key(
        "history.before",
        KeyScope.HISTORY,
        "less_than_sign",
        "<",
        "turn(-1)",
        "the day before",
        True,
        in_footer="day before",
    ),
    Key(
        "history.after", KeyScope.HISTORY, "greater_than_sign", ">", "turn(1)", "the day after", True, in_footer="after"
    ),
    Key("history.follow", KeyScope.HISTORY, "f", "f", "follow", "the last day, as it grows"),
    Key("history.write", KeyScope.HISTORY, "o", "o", "write", "write to a file"),
    Key("history.day", KeyScope.HISTORY, "e", "e", "explain_day", "why it made what it made", True, in_footer="why"),
    Key("history.worst", KeyScope.HISTORY, "w", "w", "worst", "worst trades first", True, in_footer="worst first"),
    Key("ticket.buy", _TICKET, "B", "B", "confirm('B')", "buy to open"),
    Key("ticket.short", _TICKET, "H", "H", "confirm('H')", "sell short"),
    Key("ticket.sell", _TICKET, "S", "S", "confirm('S')", "sell to close"),
    Key("ticket.cover", _TICKET, "C", "C", "confirm('C')", "buy to cover"),
    Key("ticket.edit", _TICKET, "e", "e", "edit", "edit", is_in_footer=True),
    Key("ticket.unattended", _TICKET, "u", "u", "unattended", "sign exits, or not", in_footer="sign exits"),
    Key("ticket.replace", _TICKET, "R", "R", "confirm('R')", "replace"),
    Key("ticket.review", _TICKET, "r", "r", "review", "review again", True, in_footer="review"),
    Key("ticket.decline", _TICKET, "x", "x", "decline", "decline", is_in_footer=True),
    Key("ticket.next", _TICKET, "tab", "Tab", "next_ticket", "next ticket", True, in_footer="next"),
    Key("ticket.urgent", _TICKET, "exclamation_mark", "!", "urgent", "most urgent exit"),
    Key("ticket.back", _TICKET, "escape", "Esc", "back", "back", is_in_footer=True),
    Key("ticket.help", _TICKET, "question_mark", "?", "app.help", "help", is_in_footer=True),
    Key("ticket.leave", _TICKET, "enter", "Enter", "leave", "leave expired"),
    Key("basket.mark", KeyScope.BASKET, "space", "Space", "mark", "mark", is_in_footer=True),
    Key("basket.up", KeyScope.BASKET, "up,k", "↑ k", "move(-1)", "up"),
    Key("basket.down", KeyScope.BASKET, "down,j", "↓ j", "move(1)", "down"),
    Key("basket.sign", KeyScope.BASKET, "P", "P", "sign", "send", is_in_footer=True),
    Key("basket.go_on", KeyScope.BASKET, "O", "O", "go_on", "go on with the buys"),
    Key("basket.stop", KeyScope.BASKET, "s", "s", "stop", "stop", is_in_footer=True),
    Key("basket.urgent", KeyScope.BASKET, "exclamation_mark", "!", "urgent", "most urgent exit"),
    Key(
        "basket.decline", KeyScope.BASKET, "x", "x", "decline_all", "decline all of them", True, in_footer="decline all"
    ),
    Key("basket.back", KeyScope.BASKET, "escape", "Esc", "back", "back", is_in_footer=True),
    Key("basket.help", KeyScope.BASKET, "question_mark", "?", "app.help", "help", is_in_footer=True),
    Key("kill.kill", _KILL, "K", "K", "kill", "cancel entries, block new ones until REARM", True, is_fixed=True),
    Key("kill.flatten", _KILL, "F", "F", "flatten", "flatten", is_in_footer=True, is_fixed=True),
    Key("kill.resume", _KILL, "U", "U", "resume", "resume what the key halted", is_in_footer=True, is_fixed=True),
    Key("kill.reason", _KILL, "w", "w", "reason", "write down why it was killed", is_fixed=True),
    Key("kill.back", _KILL, "escape", "Esc", "back", "back, halted or killed as it is", True, is_fixed=True),
    Key("kill.help", _KILL, "question_mark", "?", "help", "help", is_in_footer=True, is_fixed=True),
    Key("form.stage", _FORM, "enter", "Enter", "submit", "stage it as a proposal", True, is_fixed=True),
    Key("form.next", _FORM, "down", "↓ Tab", "app.focus_next", "next field", is_fixed=True),
    Key("form.previous", _FORM, "up", "↑", "app.focus_previous", "previous field", is_fixed=True),
    Key("form.symbol", _FORM, "slash", "/", "to_symbol", "search another symbol"),
    Key("form.choose", _FORM, "space,right", "Space →", "choose(1)", "a choice: the next, or type it", is_fixed=True),
    Key("form.choose_back", _FORM, "left", "←", "choose(-1)", "a choice: the one before", is_fixed=True),
    Key("form.bid", _FORM, "b", "b", "take_price('bid')", "a price: the bid"),
    Key("form.ask", _FORM, "a", "a", "take_price('ask')", "the ask"),
    Key("form.mid", _FORM, "m", "m", "take_price('mid')", "the middle"),
    Key("form.last", _FORM, "l", "l", "take_price('last')", "the last"),
    Key("form.tick_up", _FORM, "plus", "+", "tick(1)", "a tick up"),
    Key("form.tick_down", _FORM, "minus", "-", "tick(-1)", "a tick down"),
    Key("form.page_up", _FORM, "pageup", "PgUp", "page(-1)", "ten ticks up; elsewhere a page up", is_fixed=True),
    Key("form.page_down", _FORM, "pagedown", "PgDn", "page(1)", "ten down; elsewhere a page down", is_fixed=True),
    Key("form.way", _FORM, "percent_sign", "%", "next_way", "the quantity: by risk, by cash, by position"),
    Key("form.all", _FORM, "f2", "F2", "size('1')", "size by the whole risk"),
    Key("form.half", _FORM, "f3", "F3", "size('0.5')", "by half of it"),
    Key("form.quarter", _FORM, "f4", "F4", "size('0.25')", "by a quarter"),
    *(
        Key(f"form.preset_{n}", _FORM, f"f{n + 4}", f"F{n + 4}", f"preset({n - 1})", f"stop and target: preset {n}")
        for n in range(1, 5)
    ),
    Key("form.keep", _FORM, "ctrl+e", "Ctrl+E", "keep_preset", "keep stop and target as a preset"),
    Key("form.clear", _FORM, "ctrl+u", "Ctrl+U", "clear", "clear the line; an empty line: the form"),
    Key(
        "form.back",
        _FORM,
        "escape",
        "Esc",
        "back",
        "back; the typed fields are kept, a refused value is not",
        is_in_footer=True,
        in_footer="back",
        is_fixed=True,
    ),
    Key("watchlist.keep", KeyScope.WATCHLIST, "enter", "Enter", "submit", "keep it", True, is_fixed=True),
    Key("watchlist.next", KeyScope.WATCHLIST, "down", "↓ Tab", "app.focus_next", "next line", is_fixed=True),
    Key("watchlist.previous", KeyScope.WATCHLIST, "up", "↑", "app.focus_previous", "previous line", is_fixed=True),
    Key("watchlist.clear", KeyScope.WATCHLIST, "ctrl+u", "Ctrl+U", "clear", "clear the line", is_fixed=True),
    Key("watchlist.back", KeyScope.WATCHLIST, "escape", "Esc", "back", "back", is_in_footer=True, is_fixed=True),
    Key("question.do", KeyScope.QUESTION, "D", "D", "answer", "confirm", is_in_footer=True),
    Key("question.back", KeyScope.QUESTION, "escape", "Esc", "back", "keep all as it is", is_in_footer=True),
    Key("leave.leave", KeyScope.LEAVE, "y", "y", "leave", "leave", is_in_footer=True),
    Key("leave.stay", KeyScope.LEAVE, "escape", "Esc", "back", "stay", is_in_footer=True),
    Key("override.back", KeyScope.OVERRIDE, "escape", "Esc", "back", "keep it shut", is_in_footer=True),
    Key("field.take", _FIELD, "enter", "Enter", "accept", "take it", is_in_footer=True, is_fixed=True),
    Key("field.next", _FIELD, "down,tab", "↓ Tab", "next", "next line", is_fixed=True),
    Key("field.previous", _FIELD, "up,shift+tab", "↑", "previous", "previous line", is_fixed=True),
    Key("field.clear", _FIELD, "ctrl+u", "Ctrl+U", "clear", "clear the line", is_fixed=True),
    Key("field.back", _FIELD, "escape", "Esc", "back", "back", is_in_footer=True, is_fixed=True),
    Key("filter.take", KeyScope.FILTER, "enter", "Enter", "accept", "keep it", is_in_footer=True, is_fixed=True),
    Key("filter.erase", KeyScope.FILTER, "ctrl+u", "Ctrl+U", "erase", "clear the line", is_fixed=True),
    Key("filter.back", KeyScope.FILTER, "escape", "Esc", "back", "clear it", is_in_footer=True, is_fixed=True),
    Key("commands.do", KeyScope.COMMANDS, "enter", "Enter", "accept", "do it", is_in_footer=True, is_fixed=True),
    Key("commands.next", KeyScope.COMMANDS, "down,tab", "↓", "next", "next", is_in_footer=True, is_fixed=True),
    Key("commands.previous", KeyScope.COMMANDS, "up,shift+tab", "↑", "previous", "previous", True, is_fixed=True),
    Key("commands.clear", KeyScope.COMMANDS, "ctrl+u", "Ctrl+U", "clear", "clear the line", is_fixed=True),
    Key("commands.back", KeyScope.COMMANDS, "escape", "Esc", "back", "back", is_in_footer=True, is_fixed=True),
    Key("read.up", _READING, "up,k", "↑ k", "scroll(-1)", "up"),
    Key("read.down", _READING, "down,j", "↓ j", "scroll(1)", "down"),
    Key("read.page_up", _READING, "pageup", "PgUp", "page(-1)", "a page up"),
    Key("read.page_down", _READING, "pagedown", "PgDn", "page(1)", "a page down", is_in_footer=True),
    Key("read.first", _READING, "home", "Home", "scroll(-9999)", "first"),
    Key("read.last", _READING, "end", "End", "scroll(9999)", "last"),
    Key("read.back", _READING, "escape", "Esc", "back", "back", is_in_footer=True),
    Key("advice.drop", KeyScope.ADVICE, "x", "x", "drop", "take back", is_in_footer=True),
    Key("advice.back", KeyScope.ADVICE, "escape", "Esc", "back", "back", is_in_footer=True),
    Key("draft.adopt", KeyScope.DRAFT, "enter", "Enter", "adopt", "adopt: make it a proposal", True, is_fixed=True),
    Key("draft.decline", KeyScope.DRAFT, "x", "x", "decline", "decline", is_in_footer=True),
    Key("draft.back", KeyScope.DRAFT, "escape", "Esc", "back", "back", is_in_footer=True),
    Key("help.find", KeyScope.HELP, "slash", "/", "find", "find a key by words", is_in_footer=True),
    Key("help.tour", KeyScope.HELP, "t", "t", "tour", "the tour, or its end", is_in_footer=True),
    Key("help.back", KeyScope.HELP, "escape", "Esc", "back", "back", is_in_footer=True),
    Key("guide.tour", KeyScope.GUIDE, "t", "t", "tour", "a tour of eight steps", is_in_footer=True),
    Key("guide.back", KeyScope.GUIDE, "enter,escape", "Enter Esc", "back", "to the desk", is_in_footer=True),
)

AWAITED = frozenset({"leave", "leave.always", "grid.open", "exit.urgent"})
"""Keys of the panes that act when their turn comes: keys typed after them in one burst miss the dialog that they open.

Any other key of a pane acts before the next one is handled: keys typed after it, however fast, go to the pane or line
that it opened (OP-04).
"""

_held: dict[str, Key] = {key.id: key for key in KEYS}
"""The current table."""


def use(moved: Mapping[str, Key]) -> None:
    """Replace these lines of the table; the desk calls this once, at the start."""
    _held.update({key.id: moved.get(key.id, key) for key in KEYS})


def name_kill_key(name: str) -> None:
    """Name this kill key in every text: the other one does not arrive from this keyboard now (OP-07)."""
    _held["kill"] = replace(_held["kill"], written=name)


def written(id: str) -> str:
    """Return the current key of a line, as people write it."""
    return _held[id].written


def confirming_key(effect: Effect, replaces: ClientOrderId | None = None) -> str:
    """Return the only key that confirms an order of this effect, or its replacement of that order (OP-04)."""
    letter = confirming_letter(effect, replaces)
    line = next(key for key in KEYS if key.place is _TICKET and key.keys == letter)
    return _held[line.id].keys


def bindings_for(place: KeyScope) -> list[BindingType]:
    """Return the `BINDINGS` of a widget, screen or app; Textual moves those that the settings changed, by id."""
    from textual.binding import Binding  # the settings are checked without it

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
        for key in KEYS
        if key.place is place and key.keys
    ]


def footer(place: KeyScope, acting: Collection[str] | None = None, room: int | None = None) -> str:
    """Return the line under the panes while `place` has the focus, with only the `acting` keys of that place if given.

    If `room` is given, in cells, a pane shows only whole keys: keys of all panes are dropped first, help and kill
    never.
    """
    shown = [key for key in reachable(place) if _is_shown(key, place, acting)]
    making_way = _making_way(shown, place) if room is not None and place in PANES else []
    while room is not None and making_way and len(_in_a_line(shown)) > room:
        shown.remove(making_way.pop(0))
    return _in_a_line(shown)


def _in_a_line(keys: Iterable[Key]) -> str:
    return "  ".join(f"{key.written} {key.in_footer or key.description}" for key in keys)


def _making_way(shown: Iterable[Key], place: KeyScope) -> list[Key]:
    """Return the keys to drop for lack of room: those of all panes, of all lists, then the pane's own, last first."""
    others = [key for key in shown if key.id not in ("help", "kill")]
    return [key for where in (_EVERYWHERE, _LIST, place) for key in reversed(others) if key.place is where]


def _is_shown(key: Key, place: KeyScope, acting: Collection[str] | None) -> bool:
    if acting is None or key.place is not place:
        return key.is_in_footer
    return key.id in acting


def help_rows(place: KeyScope) -> list[tuple[str, str, str]]:
    """Where, key and description of everything that a key can do at `place`: its own first, then the others."""
    return [_row_of(key) for key in sorted(reachable(place), key=lambda key: key.place is not place)]


def rows_elsewhere(place: KeyScope) -> list[tuple[str, str, str]]:
    """The same of what works at other places alone."""
    here = {key.id for key in reachable(place)}
    return [_row_of(key) for key in _held.values() if key.id not in here]


def _row_of(key: Key) -> tuple[str, str, str]:
    return key.place.value, _written(key), key.description


def reachable(place: KeyScope, table: Mapping[str, Key] = _held) -> list[Key]:
    """Return the keys that work at `place`, the nearest first. In a dialog only keys with `is_first` pass through."""
    keys = list(table.values())
    around = [key for key in keys if key.place is _EVERYWHERE and (key.is_first or place not in DIALOGS)]
    if place is _EVERYWHERE:
        return around
    in_a_list = [key for key in keys if key.place is _LIST and place in PANES and place is not KeyScope.CHART]
    return [*in_a_list, *(key for key in keys if key.place is place), *around]


def keys_table() -> str:
    """Return the key table of docs/USE.md in markdown, without changes by the settings."""
    lines = ["| where | keys |", "| --- | --- |"]
    panes = [key for key in KEYS if key.id.startswith("pane.") and key.place is _EVERYWHERE]
    listed = [key for key in KEYS if not key.keys]
    lines.append(f"| the panes | {' · '.join(map(_cell, panes))} |")
    for place in KeyScope:
        if keys := [_cell(key) for key in KEYS if key.place is place and key not in (*panes, *listed)]:
            lines.append(f"| {place.value} | {' · '.join(keys)} |")
        if place is _EVERYWHERE:
            lines.append(f"| in {written('commands')} | {' · '.join(key.description for key in listed)} |")
    return "\n".join(lines)


def _cell(key: Key) -> str:
    return f"`{_written(key)}` {key.description}"


def _written(key: Key) -> str:
    if key.id == "kill" and key.written == KILL_KEY:
        return f"{KILL_KEY} or {KILL_KEY_OF_ANY_LAYOUT}"
    return key.written or f"in {written('commands')}"
