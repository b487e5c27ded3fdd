"""Agents at the socket of a real engine: what they read, draft and are refused, and that desks and engine go on."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from console.client.agents import AgentClient, CallRejectedError
from console.commands.assembly.engine_process import service_agents
from console.commands.assembly.host import Host
from console.commands.assembly.watchman_agent import look
from core import facts
from core.facts import DaySummarised
from core.messages.commands import Halt
from core.messages.desk_commands import SettingsFileSeen
from core.model.draft import DraftRefusal, FactResult
from core.model.sizing import SizeLimit
from core.protocol import frames as desk_frames
from core.protocol.agent_frames import (
    LARGEST,
    PROTOCOL,
    Accepted,
    AgentHello,
    AskSize,
    Judged,
    Part,
    Read,
    Rejected,
    RejectionCode,
    Sized,
    Stated,
    SubmitDraft,
    Terms,
    ToAgent,
    Told,
    WithdrawDraft,
    to_agent,
)
from core.protocol.frames import FrameReader, pack
from core.runtime.service import agent_requests
from core.runtime.service.agent_socket import APART
from core.runtime.service.peers import peer_of
from core.runtime.virtual import VirtualRuntime
from core.settings.service import AgentSettings
from core.settings.settings import Settings
from core.views import DeskView
from state.engine_socket import connected
from tests.accidents.house import LONG
from tests.kit.drafts import adopts, declines
from tests.kit.served import Served, served
from tests.kit.simulated_runtime import runtime
from tests.kit.timeline import timeline
from tests.kit.waiting import TIMEOUT, until
from tests.scenarios.test_socket_desks import Told as Recorded

pytestmark = pytest.mark.usefixtures("timeline")

CLAUDE, SHY = "claude", "shy"
HELLO = AgentHello(PROTOCOL, "tests", CLAUDE)
A = TypeVar("A")


class Client:
    """Says whatever it is told to."""

    def __init__(self, there: Served, *told: desk_frames.Frame) -> None:
        self.connection = connected(there.agents_path, TIMEOUT)
        self.reader = FrameReader(desk_frames.LARGEST)
        self.heard: list[ToAgent] = []
        self.says(*told)

    def says(self, *told: desk_frames.Frame) -> None:
        self.connection.sendall(b"".join(map(pack, told)))

    def sends(self, value: object) -> None:
        data = msgspec.msgpack.encode(value)
        self.connection.sendall(len(data).to_bytes(4, "big") + data)

    def next(self, kind: type[A]) -> A:
        while True:
            for at, frame in enumerate(self.heard):
                if isinstance(frame, kind):
                    del self.heard[: at + 1]
                    return frame
            content = self.connection.recv(1 << 16)
            assert content, f"hung up before {kind.__name__}: {self.heard}"
            self.heard += [to_agent(each) for each in self.reader.feed(content)]

    def is_hung_up(self) -> bool:
        with suppress(ConnectionError):
            while self.connection.recv(1 << 16):
                pass
        return True


@pytest.fixture
def engine() -> VirtualRuntime:
    return runtime({CLAUDE: {"most_value": "5000", "per_hour": 30}, SHY: {"hides_amounts": True}})


@pytest.fixture
def recorded(engine: VirtualRuntime) -> Recorded:
    return Recorded(engine)


@pytest.fixture
def there(engine: VirtualRuntime, recorded: Recorded) -> Iterator[Served]:
    begins = engine.pace.free_until
    assert begins is not None
    with served(engine) as found:
        until(lambda: engine.at >= begins)
        yield found


@pytest.fixture
def claude(there: Served) -> Iterator[AgentClient]:
    client = there.an_agent(CLAUDE)
    yield client
    client.close()


def a_buy(engine: VirtualRuntime, quantity: str = "3", away: str = "-0.30") -> Terms:
    quote = engine.exchange.quote(engine.at, LONG)
    limit = quote.ask + Decimal(away)  # type: ignore[union-attr]
    return Terms(LONG, "buy", quantity, "limit", str(limit), str(limit - 4))


def view_of_a_desk(there: Served) -> DeskView:
    desk = there.a_desk()
    desk.start()
    try:
        until(lambda: isinstance(desk.view, DeskView))
        assert isinstance(desk.view, DeskView)
        return desk.view
    finally:
        desk.close("the test is over", TIMEOUT)


def is_well(there: Served) -> None:
    """Engine, desks and agents go on."""
    assert there.thread.is_alive()
    assert there.agents.server.thread.is_alive()
    view_of_a_desk(there)
    client = there.an_agent(SHY)
    assert Part.DESK in client.read([Part.DESK])
    client.close()


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_agent_reads_every_part(claude: AgentClient) -> None:
    """OP-09: and is told whether a person is there"""
    told = claude.read([*Part], LONG, 5)

    assert set(told) == {*Part}
    assert (told["desk"]["mode"], told["desk"]["desks_attached"], told["desk"]["entries_enabled"]) == ("paper", 0, True)
    assert {"adopting"} <= {each["what"] for each in told["desk"]["blocked"]}
    assert Decimal(told["desk"]["equity"]) == 10_000_000
    assert told["quote"]["last"] == told["bars"][-1]["close"]
    assert len(told["bars"]) == 5
    assert (told["limits"]["drafts_left_this_hour"], told["limits"]["most_value_usd"]) == (30, "5000")
    assert (told["positions"], told["orders"], told["drafts"]) == ([], [], [])
    assert len(told["protections"]) > 3


def test_a_reading_says_who_has_control(there: Served, claude: AgentClient) -> None:
    """OP-09"""
    desk = there.a_desk()
    desk.start()
    until(lambda: isinstance(desk.view, DeskView))
    timeline().advance(2 * APART)
    told = claude.read([Part.DESK])["desk"]
    desk.close("the test is over", TIMEOUT)

    assert (told["desks_attached"], told["person_has_control"], told["blocked"]) == (1, True, [])


def test_a_reading_says_what_is_blocked(there: Served, engine: VirtualRuntime, claude: AgentClient) -> None:
    """OP-09: and by what"""
    engine.send(Halt("key"))
    until(lambda: engine.latch.obeyed == 1)
    told = claude.read([Part.DESK])["desk"]

    assert not told["entries_enabled"]
    assert ("entries", "halt") in {(each["what"], each["by"]) for each in told["blocked"]}
    assert claude.draft("a", a_buy(engine), "it is low").code == DraftRefusal.CHECKS


def test_a_file_in_the_place_of_the_socket_ends_nothing(engine: VirtualRuntime, tmp_path: Path) -> None:
    """OP-09: the engine runs without agents, and says so"""
    host = Host.of({"KEYTURN_HOME": str(tmp_path)})
    folder = host.home.account(engine.account)
    folder.prepare()
    folder.agents_socket.write_text("mine")
    with ExitStack() as stack:
        service_agents(host, engine, stack)

    assert folder.agents_socket.read_text() == "mine"
    assert engine.answer_agent is None
    assert len(engine.engine.notes) == 1


def test_without_agents_there_is_no_socket(tmp_path: Path) -> None:
    """OP-09"""
    host, engine = Host.of({"KEYTURN_HOME": str(tmp_path)}), runtime()
    host.home.account(engine.account).prepare()
    with ExitStack() as stack:
        service_agents(host, engine, stack)
        assert not host.home.account(engine.account).agents_socket.exists()


def test_the_socket_opens_with_the_first_agent(tmp_path: Path) -> None:
    """OP-09: while the engine runs, at its next beat"""
    host, engine = Host.of({"KEYTURN_HOME": str(tmp_path)}), runtime()
    folder = host.home.account(engine.account)
    folder.prepare()
    values = engine.engine.state.control.settings.model_dump()
    with ExitStack() as stack:
        service_agents(host, engine, stack)
        engine.beat()
        before = folder.agents_socket.exists()
        file = Settings.model_validate({**values, "agents": {CLAUDE: {}}})
        engine.engine.handle(engine.at, SettingsFileSeen(file, account=engine.account))
        for _ in range(2):
            engine.beat()

        assert (before, folder.agents_socket.exists()) == (False, True)
        assert engine.engine.notes == ()


def test_readings_draw_one_view_a_second(there: Served, engine: VirtualRuntime, claude: AgentClient) -> None:
    """OP-09: an agent that polls costs the engine one view a second, and nothing in its inbox or journal"""
    drawn: list[object] = []
    show, before = there.agents.server.show, engine.engine.state.journal.sequence
    there.agents.server.show = lambda view: (drawn.append(view), show(view))  # type: ignore[method-assign]
    feed = next(owner for beat in engine._on_beat if hasattr(owner := beat.__self__, "_show"))  # type: ignore[attr-defined]
    feed._show = there.agents.server.show
    began, put = timeline().monotonic(), engine._from_agents
    for _ in range(40):
        claude.read([Part.DESK, Part.POSITIONS])
        timeline().advance(0.1)
    passed = timeline().monotonic() - began

    assert 3 <= len(drawn) <= passed / APART + 1
    assert not put
    assert engine.engine.state.journal.sequence - before <= passed / 60 * 4 + 2


def test_a_reading_beside_desks_takes_no_news_from_them(engine: VirtualRuntime) -> None:
    """SY-01"""
    engine.run(engine.pace.free_until)
    engine._is_quoted = engine._has_news = True
    before = engine._drawn
    engine.view_beside()

    assert (engine._is_quoted, engine._has_news, engine._drawn) == (True, True, before)


def test_an_agent_without_amounts_is_told_none(there: Served, engine: VirtualRuntime) -> None:
    """OP-09: no quantity, value or equity, also not by a comparison"""
    shy = there.an_agent(SHY)
    told = shy.read([*Part], LONG)
    stated = (Stated("", "equity", "10000000"), Stated(LONG, "position", "0"), Stated(LONG, "price", "1"))
    answer = shy.draft("a", replaced(a_buy(engine), quantity=""), "it is low", stated)
    timeline().advance(2 * APART)
    (mine,) = shy.drafts()

    assert {"equity", "buying_power", "day_change"}.isdisjoint(told["desk"])
    assert {"risk_of_a_trade", "largest_order"}.isdisjoint(told["limits"])
    assert "shares_held" not in told["quote"]
    assert (answer.number, answer.quantity) == (1, "")
    assert [(one.result, one.ours == "") for one in answer.facts] == [
        (FactResult.UNKNOWN, True), (FactResult.UNKNOWN, True), (FactResult.DIFFERS, False),
    ]  # fmt: skip
    assert {"quantity", "profit"}.isdisjoint(mine)
    with pytest.raises(CallRejectedError):
        shy.size(a_buy(engine))
    shy.close()


def replaced(terms: Terms, **fields: str) -> Terms:
    return msgspec.structs.replace(terms, **fields)


def test_a_size_is_that_of_a_draft(engine: VirtualRuntime, claude: AgentClient) -> None:
    """RK-10: the same figure as for a draft without a quantity"""
    terms = replaced(a_buy(engine), quantity="")
    sized = claude.size(terms)
    answer = claude.draft("a", terms, "it is low")

    assert answer.code == ""
    assert sized.quantity == answer.quantity != ""


def test_an_unknown_symbol_names_the_known_ones(claude: AgentClient) -> None:
    """OP-09"""
    for part in (Part.QUOTE, Part.BARS):
        with pytest.raises(CallRejectedError) as raised:
            claude.read([part], "TSLA")
        assert raised.value.code == RejectionCode.UNKNOWN_SYMBOL
        assert LONG in str(raised.value)


# ── drafting ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_draft_is_answered_and_sends_nothing(
    there: Served, engine: VirtualRuntime, recorded: Recorded, claude: AgentClient
) -> None:
    """OP-09, OP-14: with each fact beside the desk's; the next reading has it"""
    terms, stated = a_buy(engine), (Stated(LONG, "position", "7", "", "memory"),)
    answer = claude.draft("a", terms, "it is\nlow", stated, "0.6")
    again = claude.draft("a", terms, "it is low", stated, "0.6")
    (mine,) = claude.drafts()

    assert (answer.number, answer.quantity, answer.code) == (1, "3", "")
    assert (again.number, again.code) == (1, "")
    assert [(one.result, one.ours) for one in answer.facts] == [(FactResult.DIFFERS, "0")]
    assert (mine["key"], mine["word"]) == ("a", "waiting")
    (draft,) = recorded.of(facts.DraftReceived)
    assert (draft.draft.agent, draft.draft.reason, draft.draft.confidence) == (CLAUDE, "it is low", Decimal("0.6"))
    assert recorded.of(facts.OrderCreated) == recorded.of(facts.ProposalStaged) == []


def test_an_agent_learns_what_became_of_its_drafts(
    there: Served, engine: VirtualRuntime, recorded: Recorded, claude: AgentClient
) -> None:
    """OP-09: declined with the operator's reason, staged, withdrawn"""
    for key in ("a", "b", "c"):
        assert claude.draft(key, a_buy(engine), "it is low").code == ""
    desk = there.a_desk()
    desk.start()
    until(lambda: isinstance(desk.view, DeskView))
    desk.send(declines(engine.engine.state, 1, "earnings tonight"))
    desk.send(adopts(engine.engine.state, 2))
    until(lambda: len(recorded.of(facts.DraftEnded)) == 2)
    withdrawn = claude.withdraw("c")
    timeline().advance(2 * APART)
    words = [(one["word"], one["reason"]) for one in claude.drafts()]
    desk.close("the test is over", TIMEOUT)

    assert withdrawn.number == 3
    assert words[:2] == [("declined", "earnings tonight"), ("staged", "")]
    assert words[2][0] == "withdrawn"
    assert claude.withdraw("c").code == DraftRefusal.UNREADABLE
    assert len(recorded.of(facts.ProposalStaged)) == 1
    assert recorded.of(facts.OrderCreated) == []


def test_two_connections_of_one_agent_get_their_own_answers(there: Served, engine: VirtualRuntime) -> None:
    """OP-09"""
    first, second = Client(there, HELLO), Client(there, HELLO)
    first.says(SubmitDraft(5, "a", a_buy(engine), "one"))
    second.says(SubmitDraft(5, "b", a_buy(engine), "two"))

    answers = [client.next(Judged) for client in (first, second)]
    assert sorted((one.call, one.key, one.code) for one in answers) == [(5, "a", ""), (5, "b", "")]
    assert [one.key for one in answers] == ["a", "b"]


def test_a_draft_over_a_limit_is_rejected_with_what_to_do(engine: VirtualRuntime, claude: AgentClient) -> None:
    """OP-09"""
    answer = claude.draft("a", a_buy(engine, "1000"), "it is low")

    assert (answer.number, answer.code) == (None, DraftRefusal.VALUE)
    assert answer.reasons


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────────────────────

OTHERS = [
    desk_frames.Hello(desk_frames.PROTOCOL, "tests", desk_frames.Role.DESK),
    desk_frames.Press(1, desk_frames.PressKind.KILL),
    desk_frames.Attend(True),
    desk_frames.Detach(),
    ["say", 1, b"", 0],
    ["submit_order", {"symbol": "SPY", "side": "buy", "quantity": 5}],
    ["confirm", 1],
]
"""Frames of desks, and verbs that there are not."""


@pytest.mark.parametrize("frame", OTHERS, ids=str)
def test_any_other_verb_is_refused_and_recorded(
    there: Served, engine: VirtualRuntime, recorded: Recorded, frame: object
) -> None:
    """OP-09: an overstep; nothing of it is done"""
    client = Client(there, HELLO)
    client.next(Accepted)
    client.sends(frame)
    refused = client.next(Rejected)
    until(lambda: recorded.of(facts.AgentOverstepped))
    client.says(Read(9, ("desk",)))

    assert refused.code == RejectionCode.OVERSTEP
    assert client.next(Told).call == 9
    assert [fact.agent for fact in recorded.of(facts.AgentOverstepped)] == [CLAUDE]
    assert engine.latch.presses == 0
    assert recorded.of(facts.DeskAttached) == []


def test_what_came_before_the_end_is_recorded(there: Served, recorded: Recorded) -> None:
    """OP-09: the program sends a frame of a desk and hangs up before its greeting is answered"""
    client, agents = Client(there), there.agents.server._agents

    def hangs_up() -> Mapping[str, AgentSettings]:
        client.sends(["confirm", 1])
        client.connection.close()
        there.agents.server._agents = agents
        return agents()

    there.agents.server._agents = hangs_up
    client.says(HELLO)
    until(lambda: recorded.of(facts.AgentOverstepped))

    assert [fact.agent for fact in recorded.of(facts.AgentOverstepped)] == [CLAUDE]
    is_well(there)


BEFORE = {
    CLAUDE: [HELLO, *[Read(1, ("desk",))] * (agent_requests.FRAMES_A_SECOND + 10)],
    agent_requests.STRANGER: [AgentHello(PROTOCOL, "tests", "nobody")],
}
"""A flood, and a greeting that is refused, by the name in the record."""


@pytest.mark.parametrize("name", BEFORE)
def test_an_overstep_behind_another_fault_is_recorded(there: Served, recorded: Recorded, name: str) -> None:
    """OP-09"""
    Client(there, *BEFORE[name], desk_frames.Press(1, desk_frames.PressKind.KILL))
    until(lambda: recorded.of(facts.AgentOverstepped))

    assert [fact.agent for fact in recorded.of(facts.AgentOverstepped)] == [name]
    is_well(there)


UNREAD = {
    "no list": 7,
    "an empty list": [],
    "a read without parts": ["read", 3, []],
    "a float": ["draft", 3, "a", ["terms", "SPY", "buy", float("nan")], "why"],
    "a number": ["draft", 3, "a", ["terms", "SPY", "buy", 5], "why"],
    "too many fields": ["withdraw", 3, "a", "b"],
    "a part": ["read", 3, ["orders", "secrets"]],
    "a call below zero": ["withdraw", -1, "a"],
}


@pytest.mark.parametrize("name", UNREAD)
def test_an_unreadable_frame_is_answered_by_a_line(
    there: Served, engine: VirtualRuntime, recorded: Recorded, name: str
) -> None:
    """OP-09: recorded, and no overstep"""
    client = Client(there, HELLO)
    client.sends(UNREAD[name])
    refused = client.next(Rejected)
    until(lambda: recorded.of(facts.DraftRejected))

    assert refused.code == RejectionCode.NOT_UNDERSTOOD
    assert "\n" not in refused.words
    assert [fact.code for fact in recorded.of(facts.DraftRejected)] == [DraftRefusal.UNREADABLE]
    assert recorded.of(facts.AgentOverstepped) == []
    client.says(Read(9, ("desk",)))
    assert client.next(Told).call == 9


def test_more_faults_close_the_connection(there: Served, recorded: Recorded) -> None:
    """OP-09"""
    client = Client(there, HELLO)
    for _ in range(agent_requests.MOST_FAULTS):
        client.sends(["nothing"])
        client.next(Rejected)
    client.says(Read(9, ("desk",)))
    assert client.next(Told).call == 9
    client.sends(["nothing"])

    assert client.next(Rejected).code == RejectionCode.OVERSTEP
    assert client.is_hung_up()
    is_well(there)


def test_a_huge_frame_closes_the_connection(there: Served, recorded: Recorded) -> None:
    """OP-09: by its length, before its content arrives"""
    client = Client(there, HELLO)
    client.next(Accepted)
    client.connection.sendall((LARGEST + 1).to_bytes(4, "big"))

    assert client.next(Rejected).code == RejectionCode.NOT_UNDERSTOOD
    assert client.is_hung_up()
    until(lambda: recorded.of(facts.DraftRejected))
    is_well(there)


def test_half_a_frame_is_recorded_when_its_agent_hangs_up(there: Served, recorded: Recorded) -> None:
    """OP-09"""
    client = Client(there, HELLO)
    client.next(Accepted)
    client.connection.sendall(pack(Read(1, ("desk",)))[:-3])
    timeline().settle()
    client.connection.close()

    until(lambda: recorded.of(facts.DraftRejected))
    assert recorded.of(facts.DraftRejected)[0].agent == CLAUDE
    is_well(there)


def test_a_flood_closes_the_connection(there: Served) -> None:
    """OP-09"""
    client = Client(there, HELLO)
    client.next(Accepted)
    client.says(
        *[Read(1, ("nothing",)) for _ in range(3)], *[AskSize(1, Terms("", ""))] * agent_requests.FRAMES_A_SECOND
    )

    assert client.is_hung_up()
    is_well(there)


def test_an_agent_that_never_reads_is_disconnected(there: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-09: nothing more is kept for it, and the others are served"""
    monkeypatch.setattr(agent_requests, "MOST_UNREAD", 100_000)
    client = Client(there, HELLO)
    client.next(Accepted)
    client.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with pytest.raises(ConnectionError):
        reads_nothing(client)

    is_well(there)


def reads_nothing(client: Client) -> None:
    """Ask again and again, and take no answer."""
    for _ in range(2000):
        client.says(*[Read(1, tuple(Part), LONG)] * 10)
        timeline().advance(1.0)


def test_an_agent_that_is_not_set_up_is_told_how_to(there: Served, recorded: Recorded) -> None:
    """OP-09: however many names it tries, one line is recorded"""
    for number in range(5):
        client = Client(there, AgentHello(PROTOCOL, "tests", f"sly{number}\x1b[2J"))
        refused = client.next(Rejected)
        assert refused.code == RejectionCode.UNKNOWN_AGENT
        assert f"keyturn agents add sly{number}" in refused.words
        assert "\x1b" not in refused.words
        assert client.is_hung_up()
    until(lambda: recorded.of(facts.DraftRejected))

    assert [fact.agent for fact in recorded.of(facts.DraftRejected)] == [agent_requests.STRANGER]


def test_a_program_of_another_protocol_is_refused(there: Served) -> None:
    """SY-01"""
    client = Client(there, AgentHello(PROTOCOL + 1, "keyturn 9", CLAUDE))

    assert client.next(Rejected).code == RejectionCode.OTHER_PROTOCOL
    assert client.is_hung_up()


@pytest.mark.parametrize("frame", [Read(1, ("desk",)), WithdrawDraft(1, "a"), ["say", 1, b"", 0]], ids=str)
def test_the_first_frame_names_the_agent(there: Served, frame: object) -> None:
    """OP-09"""
    client = Client(there)
    client.sends(frame)
    client.next(Rejected)

    assert client.is_hung_up()
    is_well(there)


def test_a_connection_without_a_name_is_closed_in_time(there: Served) -> None:
    """OP-09"""
    client = Client(there)
    timeline().advance(agent_requests.HELLO_WITHIN + 1)

    assert client.is_hung_up()


def connected_as(there: Served, name: str, many: int = agent_requests.OF_A_NAME) -> list[Client]:
    clients = [Client(there, AgentHello(PROTOCOL, "tests", name)) for _ in range(many)]
    for client in clients:
        client.next(Accepted)
    return clients


def test_connections_of_one_agent_keep_no_other_out(there: Served) -> None:
    """OP-09: each agent has its own places"""
    known = connected_as(there, CLAUDE)
    for _ in range(8):
        assert Client(there, HELLO).next(Rejected).code == RejectionCode.TOO_MANY
    timeline().advance(agent_requests.ARRIVE_WITHIN + 1)

    assert len(connected_as(there, SHY)) == agent_requests.OF_A_NAME
    known[0].connection.close()
    timeline().settle()
    assert Client(there, HELLO).next(Accepted).account == "test"


def test_connections_without_a_name_keep_no_agent_out(there: Served) -> None:
    """OP-09: the oldest of them gives way"""
    strangers = [Client(there) for _ in range(agent_requests.STRANGERS + 2)]
    timeline().settle()

    assert [client.next(Rejected).code for client in strangers[:2]] == [RejectionCode.TOO_MANY] * 2
    assert connected_as(there, CLAUDE, 1)
    assert strangers[0].is_hung_up()
    assert len([link for link in there.agents.server._links if not link.name]) < agent_requests.STRANGERS


def test_a_new_connection_takes_the_place_of_the_longest_idle_one(there: Served) -> None:
    """OP-09: one of the same agent that sent nothing for a while; the others stay"""
    known, other = connected_as(there, CLAUDE), connected_as(there, SHY, 1)
    timeline().advance(1.0)
    for client in (known[0], *known[2:]):
        client.says(Read(1, ("desk",)))
        client.next(Told)
    timeline().advance(agent_requests.IDLE - 0.5)
    new = Client(there, HELLO)

    assert new.next(Accepted).account == "test"
    assert known[1].is_hung_up()
    assert Client(there, HELLO).next(Rejected).code == RejectionCode.TOO_MANY
    for client in (known[0], *known[2:], *other, new):
        client.says(Read(2, ("desk",)))
        assert client.next(Told).call == 2


def test_a_program_whose_idle_connection_was_closed_reads_on(there: Served, claude: AgentClient) -> None:
    """OP-09: its next call connects again"""
    assert claude.read([Part.DESK])
    connected_as(there, CLAUDE, agent_requests.OF_A_NAME - 1)
    timeline().advance(agent_requests.IDLE + 1)
    Client(there, HELLO).next(Accepted)

    assert claude.read([Part.DESK])


def test_many_connections_wait_their_turn(there: Served) -> None:
    """OP-09: and do not stop those that are there"""
    first = Client(there, HELLO)
    first.next(Accepted)
    for _ in range(3 * agent_requests.ARRIVALS):
        Client(there).connection.close()
    first.says(Read(1, ("desk",)))
    assert first.next(Told).call == 1
    timeline().advance(3 * agent_requests.ARRIVE_WITHIN)
    is_well(there)


def test_another_user_is_hung_up_on(engine: VirtualRuntime) -> None:
    """OP-09"""
    with served(engine) as there:
        there.agents.server._peer_of = lambda connection: replace(peer_of(connection), user_number=1)
        assert Client(there).connection.recv(1) == b""


def test_an_agent_is_told_that_the_engine_ends(engine: VirtualRuntime) -> None:
    """OP-09"""
    with served(engine) as there:
        client = Client(there, HELLO)
        client.next(Accepted)
    assert client.next(Rejected).code == RejectionCode.LEAVING


def test_a_lost_connection_is_opened_again(there: Served, engine: VirtualRuntime, claude: AgentClient) -> None:
    """OP-09: the same draft, repeated, is one"""
    terms = a_buy(engine)
    first = claude.draft("a", terms, "it is low")
    assert claude._connection is not None
    claude._connection.shutdown(socket.SHUT_RDWR)
    timeline().settle()

    assert claude.draft("a", terms, "it is low").number == first.number == 1


def test_a_sized_answer_says_what_limits_it(engine: VirtualRuntime, claude: AgentClient) -> None:
    """RK-10"""
    sized = claude.size(replaced(a_buy(engine), quantity=""))

    assert isinstance(sized, Sized)
    assert sized.limited_by == SizeLimit.DRAFT  # 5,000 USD; the largest order is 8,000


# ── texts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_text_reaches_the_list_and_nothing_else(there: Served, engine: VirtualRuntime, claude: AgentClient) -> None:
    """OP-09"""
    claude.say("look at\x1b[31m SPY")

    until(lambda: engine.engine.state.advice.state.given)
    (given,) = engine.engine.state.advice.state.given
    assert given.adviser == CLAUDE
    assert "\x1b" not in given.text
    assert not engine.engine.state.drafts.state.outcomes
    is_well(there)


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 301])
def test_a_text_is_one_line_of_some_characters(claude: AgentClient, text: str) -> None:
    """OP-09"""
    with pytest.raises(CallRejectedError) as refused:
        claude.say(text)
    assert refused.value.code == RejectionCode.NOT_UNDERSTOOD


def test_a_summary_of_a_day_is_recorded(there: Served, engine: VirtualRuntime, claude: AgentClient) -> None:
    """AN-06: of a day that has begun; it is in no list, and nothing else comes of it"""
    today = engine.engine.state.calendar.venue.day_of(engine.at)
    for days in (-8, 1):
        claude.say("of another week", f"{today + timedelta(days=days)}")
    claude.say("a quiet\n\x1b[31m day" + "." * 1_000, f"{today}")

    def summaries() -> list[DaySummarised]:
        facts = (record.fact for record in engine.engine.state.journal.records())
        return [fact for fact in facts if isinstance(fact, DaySummarised)]

    until(summaries)
    (said,) = summaries()
    assert (said.agent, said.day, len(said.text) > 1_000) == (CLAUDE, today, True)
    assert said.text.isprintable()
    assert not engine.engine.state.advice.state.given
    is_well(there)


@pytest.mark.parametrize(("text", "day"), [("x" * 1_501, "2026-01-05"), ("", "2026-01-05"), ("x", "20260105")])
def test_a_summary_names_its_day_and_is_not_too_long(claude: AgentClient, text: str, day: str) -> None:
    """AN-06"""
    with pytest.raises(CallRejectedError) as refused:
        claude.say(text, day)
    assert refused.value.code == RejectionCode.NOT_UNDERSTOOD


def test_more_texts_in_an_hour_are_refused(there: Served, claude: AgentClient) -> None:
    """OP-09"""
    for number in range(agent_requests.TEXTS_AN_HOUR):
        claude.say(f"text {number}")
    with pytest.raises(CallRejectedError) as refused:
        claude.say("one more")
    assert refused.value.code == RejectionCode.TOO_MANY


def test_the_watchman_connects_and_drafts_nothing(tmp_path: Path) -> None:
    """OP-09: as an agent of its own, without a table in the settings"""
    engine = runtime(advisers={"watchman": {"enabled": True}})
    begins = engine.pace.free_until
    assert begins is not None
    with served(engine) as there:
        until(lambda: engine.at >= begins)
        watchman = there.an_agent("watchman")
        look(watchman, 5, 3)
        judged = watchman.draft("one", a_buy(engine), "it is cheap")
        watchman.close()
    assert judged.code == DraftRefusal.UNKNOWN_AGENT
