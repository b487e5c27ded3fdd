"""No answer to an agent has the name or a limit of another one, whatever happens to the desk (OP-09)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core import facts
from core.messages.commands import AdoptDraft, Halt, Kill, OpenTicket
from core.messages.desk_commands import SettingsFault, SettingsFileSeen
from core.model.codes import HaltCause
from core.protocol.agent_frames import (
    PROTOCOL,
    Accepted,
    AgentHello,
    AskSize,
    Part,
    Read,
    Rejected,
    RejectionCode,
    Say,
    SubmitDraft,
    Terms,
    ToAgent,
    Told,
    WithdrawDraft,
)
from core.protocol.frames import pack
from core.runtime.scripted_operator import turn_of
from core.settings.settings import Settings
from tests.accidents.house import LONG
from tests.soak.hostile_agents import HONEST, SLY, Place, Program, a_place

OTHER = "quokka"
SECRET = "31337"
"""A limit of the other agent."""
OF_OTHER = {"most_value": SECRET, "per_hour": 317}


@pytest.fixture
def place() -> Iterator[Place]:
    with a_place() as found:
        found.looks_at_the_file = lambda: None  # type: ignore[method-assign] — the test says what the engine sees
        sees(found, {HONEST: {"most_value": "5000"}, OTHER: OF_OTHER})
        yield found


def sees(place: Place, agents: dict[str, dict[str, Any]], **tables: Any) -> None:
    """The engine's look at its settings file, with these agents and other tables."""
    values = place.engine.engine.state.control.settings.model_dump()
    place.presses(SettingsFileSeen(Settings.model_validate({**values, **tables, "agents": agents})))


def terms(place: Place) -> Terms:
    quote = place.engine.exchange.quote(place.engine.at, LONG)
    assert quote is not None
    return Terms(LONG, "buy", "1", "limit", str(quote.bid), str(quote.bid - 4))


def connects(place: Place, name: str) -> Program:
    program = Program(place.path)
    program.sends(pack(AgentHello(PROTOCOL, "tests", name)))
    for _ in range(3):
        place.step(0.1)
        program.hears()
    return program


def everything(place: Place, program: Program) -> list[ToAgent]:
    """All that an agent can ask, and the answers."""
    order = terms(place)
    asked = [
        *(Read(call, (part,), LONG) for call, part in enumerate(Part, 1)),
        Read(20, ("secrets",)),
        AskSize(21, order),
        SubmitDraft(22, f"k{place.at}", order, "it is low"),
        SubmitDraft(23, "bad", Terms(LONG, "buy", "0"), "it is low"),
        WithdrawDraft(24, "nothing"),
        Say(25, "hello"),
    ]
    program.answers.clear()
    for frame in asked:
        program.sends(pack(frame))
        place.step(1.1)
        place.step(0.1)
        program.hears()
    return list(program.answers)


def others(answers: list[ToAgent]) -> list[str]:
    """The answers that tell of the other agent."""
    return [text for text in map(repr, answers) if OTHER in text or SECRET in text or "317" in text]


def fails(place: Place) -> None:
    words = f"KeyError: {{'{OTHER}': {SECRET}}}"
    place.engine.engine.state.record(facts.Halted(HaltCause.INVARIANT, words))


def orders_of_the_other(place: Place) -> None:
    """Its draft becomes a working order."""
    program = connects(place, OTHER)
    program.sends(pack(SubmitDraft(1, "its", terms(place), "it is low")))
    place.step(0.1)
    place.step(0.1)
    state = place.engine.engine.state
    (draft,) = (one.draft for one in state.drafts.waiting if one.draft.agent == OTHER)
    place.presses(AdoptDraft(draft.number, draft.digest))
    place.presses(OpenTicket(state.stage.proposals()[0].id))
    place.presses(turn_of(next(iter(state.stage.state.tickets.values()))))


HAPPENS: dict[str, Callable[[Place], object]] = {
    "nothing": lambda place: None,
    "the other changes": lambda place: sees(place, {HONEST: {}, OTHER: {**OF_OTHER, "enabled": False}}),
    "the other is removed": lambda place: sees(place, {HONEST: {}}),
    "more changes": lambda place: sees(place, {HONEST: {}, OTHER: {"per_hour": 317}}, symbols=[LONG]),
    "a faulty file": lambda place: place.presses(
        SettingsFileSeen(SettingsFault(f"settings.toml: agents.{OTHER}.most_value = {SECRET}: must be less"))
    ),
    "an error": fails,
    "a halt": lambda place: place.presses(Halt("key")),
    "a kill": lambda place: place.presses(Kill("key")),
    "its order": orders_of_the_other,
}


@pytest.mark.parametrize("name", HAPPENS)
def test_no_answer_tells_of_another_agent(place: Place, name: str) -> None:
    """OP-09: every part, size, draft, withdrawal, text and refusal, before and after; and each is answered"""
    program = connects(place, HONEST)
    HAPPENS[name](place)
    answers = everything(place, program)

    assert len(answers) == len(Part) + 6
    assert others(answers) == []


def test_a_removed_agent_is_told_so_at_its_next_call(place: Place) -> None:
    """OP-09: also where a question of it waits; and a program of it cannot connect"""
    program = connects(place, HONEST)
    program.sends(pack(Read(1, (Part.POSITIONS,))))
    sees(place, {OTHER: OF_OTHER})
    program.sends(pack(Read(2, (Part.POSITIONS,))))
    place.step(1.1)
    place.step(0.1)
    program.hears()
    again = connects(place, HONEST)

    for one in (program, again):
        last = one.answers[-1]
        assert isinstance(last, Rejected)
        assert last.code == RejectionCode.UNKNOWN_AGENT
        assert others(one.answers) == []
    assert not any(isinstance(each, Told) for each in program.answers)
    assert [link.name for link in place.server._links] == []


def test_an_added_agent_connects_at_once(place: Place) -> None:
    """OP-09"""
    assert connects(place, SLY).has(Rejected)
    sees(place, {HONEST: {}, OTHER: OF_OTHER, SLY: {}})
    program = connects(place, SLY)
    answers = everything(place, program)

    assert program.has(Told)
    assert others(answers) == []
    assert connects(place, SLY).has(Accepted)


def test_a_paused_agent_reads_that_it_is_paused(place: Place) -> None:
    """OP-09: it may still read, and drafts nothing"""
    program = connects(place, HONEST)
    sees(place, {HONEST: {"enabled": False}, OTHER: OF_OTHER})
    answers = everything(place, program)

    texts = " ".join(map(repr, answers))
    assert '"drafts_taken":false' in texts
    assert '"enabled":false' in texts
    assert '"entries_enabled":true' in texts
    assert others(answers) == []
