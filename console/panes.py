"""The panes of the desk in one table, by name, for board, layout, help, details and chart.

Actions of a row's keys are passed to the desk, which alone may act.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from console.details import Telling, order, position, protection, record, strategy, trade, watched
from console.filtered_panes import HistoryPane, LogPane
from console.keymap import KeyScope, bindings_for
from core.model.lazy_dataclass import dataclass
from core.model.values import Symbol
from core.views import DeskView
from widgets.chart import Chart
from widgets.grid import Grid
from widgets.orders import LEGS, Orders
from widgets.pane import Pane
from widgets.positions import Positions
from widgets.proposals import ProposalTable, Strategies, key_of_draft
from widgets.protections import Protections
from widgets.results import Results
from widgets.watch import Watch

Want = Callable[[str, str | None], None]
"""Runs an action by name on the key of a row, at once: the next key may be text for the dialog that it opens."""


class Wanting:
    """Mixin before a pane whose keys act on its selected row, such as decline, close or cancel."""

    grid: Grid

    def __init__(self, want: Want) -> None:
        super().__init__()
        self.want = want

    def action_want(self, what: str) -> None:
        self.want(what, self.grid.selected)


class ProposalsPane(Wanting, ProposalTable):
    BINDINGS = bindings_for(KeyScope.PROPOSALS)


class PositionsPane(Wanting, Positions):
    BINDINGS = bindings_for(KeyScope.POSITIONS)

    def action_sort(self, step: int) -> None:
        self.sort(step)


class OrdersPane(Wanting, Orders):
    BINDINGS = bindings_for(KeyScope.ORDERS)

    def action_all(self) -> None:
        self.shows_all = not self.shows_all
        self.want("all" if self.shows_all else "fewer", "")

    def action_all_entries(self) -> None:
        """Cancel all entries, whatever row is selected."""
        self.want("cancel all entries", "")


class ProtectionsPane(Wanting, Protections):
    BINDINGS = bindings_for(KeyScope.PROTECTIONS)

    def action_all(self) -> None:
        self.toggle_all()


class StrategiesPane(Wanting, Strategies):
    BINDINGS = bindings_for(KeyScope.STRATEGIES)


class ResultsPane(Results):
    BINDINGS = bindings_for(KeyScope.RESULTS)

    def action_turn(self, step: int) -> None:
        self.turn(step)

    def action_group(self) -> None:
        self.group()


class ChartPane(Chart):
    BINDINGS = bindings_for(KeyScope.CHART)


class WatchPane(Wanting, Watch):
    BINDINGS = bindings_for(KeyScope.WATCH)

    def action_want(self, what: str) -> None:
        """Act on the list, because a list without rows has keys too."""
        self.want(what, self.name_of_list())

    def action_list_symbol(self) -> None:
        self.want("list symbol", self.grid.selected)

    def action_remove(self) -> None:
        """Off the list that is shown; the selection goes to its neighbour, as in a list that was walked through."""
        symbol, name = self.grid.selected, self.name_of_list()
        self.want("remove symbol", None if symbol is None else f"{name} {symbol}")

    def action_turn(self, step: int) -> None:
        self.turn(step)


@dataclass(frozen=True, slots=True)
class PaneEntry:
    """One pane. Its number and keys are in `console.keymap`, its drawing in its widget.

    Attributes
    ----------
    about
        Its description in the help.
    opens
        The dialog that Enter opens on a row: its title and the function that returns the details; None if the desk
        handles it.
    symbols
        The key and symbol of each row with a symbol, for the chart.
    is_timed
        Whether it has ages or countdowns that change between two views.
    has_state
        Whether its frame shows the desk's state.
    """

    scope: KeyScope
    make: Callable[[Want], Pane | Chart]
    about: str
    opens: tuple[str, Telling] | None = None
    symbols: Callable[[DeskView], Iterable[tuple[str, Symbol]]] = lambda _view: ()
    is_timed: bool = False
    has_state: bool = True


def _proposed(view: DeskView) -> Iterator[tuple[str, Symbol]]:
    yield from ((row.id, row.symbol) for row in view.proposals)
    yield from ((key_of_draft(row), row.symbol) for row in view.drafts)


_ENTRIES = (
    PaneEntry(
        KeyScope.PROPOSALS,
        ProposalsPane,
        "What strategies and exits ask you to confirm; nothing here has been sent. Exits stand first and count up, "
        "entries count down. Drafts of agents stand last, `+1` in the strip: Enter reads one; ✗ counts false facts. "
        "Why one was blocked: `a` in Orders lists what was refused today.",
        symbols=_proposed,
        is_timed=True,
    ),
    PaneEntry(
        KeyScope.POSITIONS,
        PositionsPane,
        "What you hold: average price, last price with its age where it is old, profit in USD and in R (times what was "
        "risked to the stop), and who holds the stop: the broker for that many shares, or YOU. A wider pane shows its "
        "value, profit and the day's change of its price in percent; under the rows stands what they come to. A stop "
        "with ≥ or ≤ trails: the broker's last report, nearer by now perhaps; with ≈ this desk computed it. A + after "
        "it: other stops are nearer.",
        ("Position", position),
        lambda view: ((row.key, row.symbol) for row in view.positions),
    ),
    PaneEntry(
        KeyScope.ORDERS,
        OrdersPane,
        "The orders of today with their state at the broker, their legs under them: those that work first, then the "
        "newest. Legs that wait for their entry share a line; Enter there gives each its row. `cancelling`, `in doubt` "
        "and `late fill` are marks of this desk. The lower edge gives the reason of the selected one.",
        ("Order", order),
        lambda view: ((key, row.symbol) for row in view.orders for key in (row.id, f"{LEGS}{row.id}")),
        is_timed=True,
    ),
    PaneEntry(
        KeyScope.PROTECTIONS,
        ProtectionsPane,
        "What guards entries: each measure that is past half of its limit, or shut; the others are named "
        "together, and `a` gives each its line. A guard that is TRIPPED stops entries, one that is FULL has no more "
        "to give, one that is CLOSED waits for its hour. Exits are never held up.",
        ("Protection", protection),
        is_timed=True,
        has_state=False,  # it shows itself why entries are shut
    ),
    PaneEntry(
        KeyScope.STRATEGIES,
        StrategiesPane,
        "What each strategy last answered on each symbol, and for how many bars of the session. A paused one "
        "makes no entries and keeps watching its exits.",
        ("Strategy", strategy),
        lambda view: ((row.key, row.symbol) for row in view.strategies),
    ),
    PaneEntry(
        KeyScope.LOG,
        lambda _want: LogPane(),
        "Every fact of the journal but the bars, the newest at the end; the life of an order is one line that grows,"
        " and Enter opens its steps. It follows until you move. `/` filters by words in any order; `level:warn` and "
        "`source:vwap` are such words.",
        ("Record", record),
    ),
    PaneEntry(
        KeyScope.RESULTS,
        lambda _want: ResultsPane(),
        "The trades of today from open to flat, the parts closed of what is still held, what they made by strategy, "
        "and what was not taken with what it would have made. `>` turns to the week, the month and the months before: "
        "sums by strategy, manual and automated, what the account was worth, and each day.",
        ("Trade", trade),
        lambda view: ((row.key, row.symbol) for row in view.trades),
        has_state=False,  # its content is past
    ),
    PaneEntry(
        KeyScope.WATCH,
        WatchPane,
        "The symbols of a list: quote, last price, change since the close before, the day's course and volume, and "
        "what you hold or have working. Under HELD, ? is an entry and ! an exit that waits for your key, and never, "
        "close or until a list that blocks entries; ! after a price: it is old. What is held, ordered or proposed has "
        "the first list, `held`. Any share may be added.",
        ("Symbol", watched),
        lambda view: ((row.symbol, row.symbol) for row in view.watch.rows),
        is_timed=True,
    ),
    PaneEntry(
        KeyScope.CHART,
        lambda _want: ChartPane(),
        "The session of the symbol that was selected last: candles that rose are strokes, those that fell are "
        "filled, one that forms is grey. `last` is the price that the other panes show; `close` is the last "
        "complete minute's.",
        has_state=False,  # it shows itself how old its bars are
    ),
    PaneEntry(
        KeyScope.HISTORY,
        HistoryPane,
        "The orders and trades of one day, from the journal: `<` and `>` turn the days, `w` stands the worst trades "
        "first, `/` filters by words in any order, Enter tells an order from its bar to its end, and why a trade made "
        "what it made, `e` explains the whole day to the cent, `o` writes what is shown to a file.",
        has_state=False,  # its content is past
    ),
)
PANES: Mapping[str, PaneEntry] = {entry.scope.value: entry for entry in _ENTRIES}
