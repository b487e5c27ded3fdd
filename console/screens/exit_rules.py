"""The question whether the exit rules watch a position that no strategy opened (ST-09)."""

from __future__ import annotations

from console.screens.dialog import WIDTH, ArmedQuestion, DialogHost
from core.messages.commands import ChooseExitRules
from core.views import PositionRow
from widgets import format as f
from widgets.ticket_text import wrapped


class ExitRulesQuestion(ArmedQuestion):
    """Ask to begin or end; of what was just taken over a no is recorded too, and not asked again."""

    def __init__(self, behind: DialogHost, row: PositionRow) -> None:
        self.row = row
        held = f"{f.quantity(row.quantity)} {row.symbol}"
        stays = "Nothing proposes its exit then; orders at the broker stay."
        text = f"{row.health.choice.rules} watch {held} now. {stays}"
        title, does = f"Take {row.symbol} from the exit rules?", "take it from them"
        if not row.health.choice.is_watched:
            title, does = f"Let the exit rules watch {row.symbol}?", "let them watch it"
            taken = f"{held} were taken over from the broker." if row.health.choice.asks else f"You hold {held}."
            rules = f"The rules of [exits] would watch them: {row.health.choice.offered}."
            text = f"{taken} {rules} Each exit is proposed and waits for your key."
        super().__init__(behind, title, wrapped("", text, WIDTH), does, self._decide)

    def _decide(self) -> None:
        self._choose(is_watched=not self.row.health.choice.is_watched)

    def action_back(self) -> None:
        if self.row.health.choice.asks:
            self._choose(is_watched=False)
        super().action_back()

    def _choose(self, *, is_watched: bool) -> None:
        self.behind.handle.send(ChooseExitRules(self.row.symbol, self.row.strategy, is_watched))
        does = "watch it" if is_watched else "do not watch it: it is yours"
        self.behind.say(f"asked: the exit rules {does}")
