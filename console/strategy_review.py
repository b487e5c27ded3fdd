"""The operator's word on what a night said of a strategy: resume it, adopt or decline more of the capital (ST-10).

Each is asked with its figures, and answered by a key that is not the one that asked.
"""

from __future__ import annotations

from console.follow_ups import FollowUps
from console.screens.dialog_host import DialogHost
from console.screens.question import WIDTH, ArmedQuestion
from core.messages.commands import DecidePromotion, ReinstateStrategy
from core.views import DeskView, StrategyRow
from widgets.ticket import wrapped


def ask_to_reinstate(behind: DialogHost, row: StrategyRow) -> None:
    """What was retired, or paused in a regime, opens again and begins a record of its own."""
    name = row.strategy.upper()
    why = "; ".join(words for label, words in row.evaluation if label == "shut")
    text = f"{name} {why}. Resumed, it proposes entries again on every symbol, and is judged anew by what it does then."

    def resume() -> None:
        behind.handle.send(ReinstateStrategy(row.strategy))
        behind.say(f"asked {name} to go on: it proposes entries again", "warning")

    behind.ask(ArmedQuestion(behind, f"Resume {name}?", wrapped("", text, WIDTH), "resume it", resume))


def decide_promotion(behind: DialogHost, following: FollowUps, view: DeskView, key: str, *, is_adopted: bool) -> None:
    """Asks, and says on the last line what the engine answers: adopting more than there is is refused (ST-08)."""
    row = next((row for row in view.strategies if row.key == key), None)
    if row is None:
        return
    name = row.strategy.upper()
    if not row.proposed:
        behind.say(f"nothing more is proposed for {name}: a night proposes it by its figures")
        return
    does = "adopt it" if is_adopted else "decline it"

    def decide() -> None:
        following.wait_for_word(behind.view or view, "strategy")
        behind.handle.send(DecidePromotion(row.strategy, is_adopted))
        behind.say(f"asked to {does.removesuffix(' it')} the allocation that is proposed for {name}")

    title = f"{'Adopt' if is_adopted else 'Decline'} more for {name}?"
    behind.ask(ArmedQuestion(behind, title, wrapped("", f"{row.proposed}.", WIDTH), does, decide))
