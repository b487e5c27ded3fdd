"""A demo's day with drafts of an agent, played again: what came from outside is recorded with the rest of the run."""

from __future__ import annotations

from pathlib import Path

from core import facts
from core.messages.inputs import AgentRefused, DraftSubmitted, DraftWithdrawn
from core.model.draft import DraftFact, DraftRequest, DraftTerms, DraftWord
from core.model.order import Effect, OrderType
from core.model.values import Price, Symbol
from state.journal import read
from tests.kit.drafts import adopts, declines
from tests.scenarios.backtests import Keyturn
from tests.scenarios.stepped_demo import SteppedDemo

DAY = "2026-01-05"
SPY = Symbol("SPY")


def test_a_day_with_drafts_is_reproduced_byte_for_byte(keyturn: Keyturn, tmp_path: Path) -> None:
    """AN-06, OP-09: a draft adopted and confirmed, one declined, one withdrawn, and an overstep"""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "settings.toml").write_text("[agents.claude]\n")
    demo = SteppedDemo(home, profile="micro").starts()
    last = demo.until(lambda: demo.proposals and demo.desk.last_price(SPY))
    limit = Price(last[1] + 1)
    stop = Price(limit - 3)
    for call, key in enumerate(("a", "b", "c"), 1):
        terms = DraftTerms(SPY, Effect.OPEN, None, OrderType.LIMIT, limit, stop)
        stated = (DraftFact("SPY", "price", last[1], None, "get_quote"),)
        demo.runtime.hear_agent(DraftSubmitted("claude", DraftRequest(key, terms, "it is low", stated), call))
    demo.runtime.hear_agent(DraftWithdrawn("claude", "c", 4))
    demo.runtime.hear_agent(AgentRefused("claude", "use say", is_overstep=True))
    demo.until(lambda: demo.facts(facts.AgentOverstepped))
    known = {proposal.id for proposal in demo.proposals}
    demo.sends(adopts(demo.desk, 1))
    demo.sends(declines(demo.desk, 2, "one is enough"))
    (adopted,) = demo.until(lambda: [each for each in demo.proposals if each.id not in known])
    demo.confirms(adopted.id)
    demo.until(lambda: [one for one in demo.desk.drafts.state.outcomes.values() if one.word is DraftWord.FILLED])
    words = [one.word for one in demo.desk.drafts.state.outcomes.values()]
    demo.leaves()

    folder = home / "state" / "demo-5" / "journal"
    found = keyturn("whatif", DAY, "--account", "demo-5", "--json")

    assert words == [DraftWord.FILLED, DraftWord.DECLINED, DraftWord.WITHDRAWN]
    assert found.code == 0, found.err
    base = found.json["base"]
    assert (base["is_exact"], base["records"]) == (True, sum(1 for _ in read(folder)))
