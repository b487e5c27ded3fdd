"""What an operator's morning looks like when the stream comes, falls silent, breaks and returns."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from core.market.alpaca.failure import Failure, Seen
from core.market.alpaca.stream_failover import MinuteSpan
from core.model.account import ConnectionState
from tests.kit.rows import table
from tests.unit.core.market.alpaca.morning import QQQ, SPY, Morning, a_bar, at, clocks, every_minute


def test_a_muted_stream_is_polled_without_a_gap(snapshot: SnapshotAssertion) -> None:
    """MD-02: mute at 10:03:10, polled until 10:07, back: every minute once, in order."""
    morning = Morning("9:29:50", (SPY, QQQ))
    morning.the_stream_opens()
    morning.until("10:03:10")
    assert morning.switch.line.connection().state is ConnectionState.UP
    morning.speaks = False
    morning.until("10:03:29")
    assert morning.switch.line.connection().state is ConnectionState.UP
    morning.until("10:03:31")
    assert morning.switch.line.connection().state is ConnectionState.SILENT
    assert morning.switch.line.connection().words == snapshot
    morning.until("10:06:50")
    assert morning.switch.line.connection().state is ConnectionState.POLLING
    morning.until("10:07:20")

    morning.the_stream_opens()
    morning.until("10:30:05")

    assert morning.switch.line.connection().state is ConnectionState.UP
    for symbol in (SPY, QQQ):
        assert morning.bars(symbol) == every_minute("9:30", "10:29")
    assert morning.oddities() == []


def test_one_poll_asks_for_all_symbols() -> None:
    """MD-02"""
    morning = Morning("9:29:50", (SPY, QQQ))

    morning.until("9:34:30")

    assert [when for when, _ in morning.asked] == ["09:31:03", "09:32:03", "09:33:03", "09:34:03"]
    assert morning.bars(SPY) == morning.bars(QQQ) == every_minute("9:30", "9:33")


def test_a_late_start_gets_the_first_minutes_first() -> None:
    """MD-02: the day's VWAP begins at the open, and the stream's bars wait for it."""
    morning = Morning("10:14:57")
    morning.answers = False
    morning.the_stream_opens()
    morning.until("10:15:02")
    assert morning.bars() == []

    morning.answers = True
    morning.until("10:20:05")

    assert morning.bars() == every_minute("9:30", "10:19")


def test_known_minutes_are_not_repeated() -> None:
    """MD-02"""
    morning = Morning("10:14:30", SPY=at("10:11"))
    morning.the_stream_opens()

    morning.until("10:16:05")

    assert morning.bars() == every_minute("10:12", "10:15")
    assert morning.oddities() == []


def test_a_short_break_needs_no_question() -> None:
    """MD-02"""
    morning = Morning("9:29:50")
    morning.the_stream_opens()
    morning.until("9:40:30")
    morning.the_stream_breaks()
    assert morning.switch.line.connection().state is ConnectionState.DOWN
    morning.until("9:40:58")
    morning.the_stream_opens()

    morning.until("9:45:05")

    assert morning.asked == []
    assert morning.bars() == every_minute("9:30", "9:44")


def test_a_break_over_a_minutes_end_is_filled() -> None:
    """MD-02"""
    morning = Morning("9:29:50")
    morning.the_stream_opens()
    morning.until("9:40:30")
    morning.the_stream_breaks()
    morning.until("9:41:01")
    morning.the_stream_opens()

    morning.until("9:45:05")

    assert [when for when, _ in morning.asked] == ["09:41:03"]
    assert morning.bars() == every_minute("9:30", "9:44")


def test_a_return_during_a_poll_is_seamless() -> None:
    """MD-02: the poll's answer is older than the stream's return; what lies between is asked for too."""
    morning = Morning("9:29:50")
    morning.until("9:40:10")
    switch = morning.switch
    span = switch.catch_up.question(at("9:41:03"))
    assert span is not None
    switch.line.connecting(at("9:41:50"))
    switch.opened(at("9:42:01"))
    early = switch.heard_bar(a_bar("9:42"), at("9:43:00"))

    told = switch.answered(span, [a_bar("9:39"), a_bar("9:40")], at("9:43:01"))
    after = switch.catch_up.question(at("9:43:01"))
    assert after is not None
    told += switch.answered(after, [a_bar("9:40"), a_bar("9:41")], at("9:43:02"))

    assert early == []
    assert clocks(told) == ["09:40", "09:41", "09:42"]


def test_a_mute_server_is_retried_with_backoff() -> None:
    """MD-02: no storm of reconnections."""
    morning = Morning("9:29:50")
    morning.the_stream_opens()
    morning.until("9:35:10")
    morning.speaks = False
    waits = []
    for minute in range(36, 50):
        morning.until(f"9:{minute}:30")
        line = morning.switch.line
        if line.connect_at is not None:
            waits.append((line.connect_at - morning.now + timedelta(seconds=27)).total_seconds())
            morning.switch.line.connecting(morning.now)
            morning.switch.opened(morning.now)

    assert morning.bars() == every_minute("9:30", "9:48")
    assert waits == sorted(waits)
    assert waits[-1] == 15
    assert morning.switch.line.connection().state is ConnectionState.POLLING


def test_a_quiet_stream_is_not_torn_down() -> None:
    """MD-02: a thin symbol may be silent; only a bar that it should have brought proves a stream mute."""
    morning = Morning("9:29:50")
    morning.the_stream_opens()
    morning.until("9:35:10")
    morning.speaks = False
    morning.until("9:35:40")
    span = morning.switch.catch_up.question(at("9:36:04"))
    assert span is not None

    new = morning.switch.answered(span, [a_bar("9:33"), a_bar("9:34")], at("9:36:04"))

    assert new == []
    assert not morning.switch.is_proved_mute(new)
    assert morning.switch.line.opened_at is not None


def test_quotes_without_bars_are_no_health(snapshot: SnapshotAssertion) -> None:
    """MD-02: a half mute stream is polled, and only a bar brings the trust back."""
    morning = Morning("9:29:50")
    morning.the_stream_opens()
    morning.until("9:35:01")
    switch = morning.switch
    for second in range(200):
        now = at("9:35:02") + timedelta(seconds=second)
        switch.heard_other(now)
        if switch.line.timeout(now) <= timedelta(0):
            switch.ponged(now)
    assert switch.line.connection().state is ConnectionState.SILENT
    assert switch.line.connection().words == snapshot

    switch.heard_other(at("9:39:00"))
    assert switch.line.connection().state is ConnectionState.SILENT
    switch.heard_bar(a_bar("9:38"), at("9:39:01"))

    assert switch.line.connection().state is ConnectionState.UP


def test_the_night_is_no_silence() -> None:
    """MD-02"""
    morning = Morning("15:58:30")
    morning.the_stream_opens()
    morning.until("16:00:01")
    morning.speaks = False

    morning.until("17:30:00")

    assert morning.switch.line.connection().state is ConnectionState.UP
    assert [when for when, _ in morning.asked] == ["15:58:31"]
    assert morning.bars()[-1] == "15:59"


def test_a_night_without_a_stream_is_bridged() -> None:
    """MD-02"""
    morning = Morning("15:58:30")

    morning.until("16:30:00")

    assert [when for when, _ in morning.asked] == ["15:58:31", "15:59:03", "16:00:03"]
    assert morning.switch.catch_up.ask_at(morning.now) == at("9:31:03") + timedelta(days=1)


def test_silent_history_names_the_hole_in_30_s(snapshot: SnapshotAssertion) -> None:
    """MD-02, MD-03"""
    morning = Morning("9:29:50")
    morning.the_stream_opens()
    morning.until("9:31:05")
    morning.the_stream_breaks()
    morning.until("9:33:10")
    assert morning.bars() == every_minute("9:30", "9:32")
    morning.answers = False
    morning.until("9:35:01")
    morning.the_stream_opens()
    morning.until("9:35:29")
    assert morning.bars() == every_minute("9:30", "9:32")

    morning.until("9:37:01")

    assert morning.bars() == [*every_minute("9:30", "9:32"), "09:35", "09:36"]
    assert morning.oddities() == snapshot
    assert morning.switch.line.connection().state is ConnectionState.UP


@table(
    "code state words",
    (402, ConnectionState.REFUSED, "check APCA_API_KEY_ID and its secret, or the keyring; tried again in a minute"),
    (408, ConnectionState.REFUSED, "see your plan at Alpaca; tried again in a minute"),
    (409, ConnectionState.REFUSED, 'set alpaca.feed = "iex" and start again; tried again in a minute'),
    (406, ConnectionState.DOWN, "probably by this desk's own connection that broke; tried again each 15 s until 09:42"),
    (405, ConnectionState.DOWN, "see your plan at Alpaca"),
    (500, ConnectionState.DOWN, "an error on its side"),
    (999, ConnectionState.DOWN, "it refused the connection"),
)
def test_each_stream_refusal_has_its_remedy(code: int, state: ConnectionState, words: str) -> None:
    """MD-02: what is REFUSED is tried again after a minute and not before; the others soon."""
    morning = Morning("9:40:10")
    morning.switch.line.connecting(morning.now)

    morning.switch.refused(morning.now, code, "'their words'")

    connection = morning.switch.line.connection()
    assert connection.state is state
    assert words in connection.words
    assert f"({code} 'their words')" in connection.words
    if state is ConnectionState.REFUSED:
        assert morning.switch.line.connect_at == at("9:41:10")


def test_a_place_that_our_own_connection_may_have_is_tried_soon() -> None:
    """SY-10: for two minutes after a start, and after a connection broke; then another program has it"""
    morning = Morning("9:40:10")
    line, tried = morning.switch.line, []
    for clock in ("9:40:10", "9:42:09", "9:42:11"):
        morning.until(clock)
        line.connecting(morning.now)
        line.refused(morning.now, 406, "connection limit exceeded")
        assert line.connect_at is not None
        tried.append((line.connect_at - morning.now, "another program" in line.words))
    line.opened(morning.now)
    line.lost(morning.now, "it broke")
    line.refused(morning.now, 406, "connection limit exceeded")

    assert tried == [(timedelta(seconds=15), False), (timedelta(seconds=15), False), (timedelta(seconds=60), True)]
    assert "another program" not in line.words


def test_a_taken_connection_is_retried_each_minute() -> None:
    """MD-02"""
    morning = Morning("9:37:10")
    morning.until("9:40:10")
    morning.switch.line.connecting(morning.now)
    morning.switch.refused(morning.now, 406, "connection limit exceeded")

    morning.until("9:42:10")

    connection = morning.switch.line.connection()
    assert connection.state is ConnectionState.POLLING
    assert "connection limit" in connection.words
    assert morning.bars() == every_minute("9:30", "9:41")
    assert morning.switch.line.connect_at == at("9:41:10")


def test_wrong_keys_everywhere_retry_each_minute(snapshot: SnapshotAssertion) -> None:
    """MD-02: a refused key is not hammered, and says when it is tried again."""
    morning = Morning("9:40:10")
    morning.switch.line.connecting(morning.now)
    morning.switch.refused(morning.now, 402, "auth failed")

    morning.switch.failed(morning.now, Failure("refused (401): check the keys", is_refused=True))

    assert morning.switch.line.connection().state is ConnectionState.REFUSED
    assert morning.switch.line.connection().words == snapshot
    assert morning.switch.line.connect_at == at("9:41:10")
    assert morning.switch.catch_up.ask_at(morning.now) == at("9:41:10")
    assert not morning.switch.wants_quotes(morning.now)


def test_a_refusal_that_passes_leaves_no_trace() -> None:
    """MD-02: the next try is let in: UP without a word, and nothing is missing."""
    morning = Morning("9:40:10")
    morning.switch.line.connecting(morning.now)
    morning.switch.refused(morning.now, 402, "auth failed")
    morning.switch.failed(morning.now, Failure("refused (401): check the keys", is_refused=True))
    morning.until("9:41:11")

    morning.switch.line.connecting(morning.now)
    during = morning.switch.line.connection().state
    morning.the_stream_opens()
    morning.until("9:43:10")

    assert during is ConnectionState.REFUSED
    assert (morning.switch.line.connection().state, morning.switch.line.connection().words) == (ConnectionState.UP, "")
    assert morning.bars() == every_minute("9:30", "9:42")


def test_wrong_stream_keys_leave_the_polls(snapshot: SnapshotAssertion) -> None:
    """MD-02"""
    morning = Morning("9:40:10")
    morning.switch.line.connecting(morning.now)
    morning.switch.refused(morning.now, 402, "auth failed")
    morning.answers = False
    morning.until("9:40:20")
    morning.answers = True

    morning.until("9:42:10")

    assert morning.switch.line.connection().state is ConnectionState.REFUSED
    assert morning.switch.line.connection().words == snapshot
    assert morning.bars() == every_minute("9:30", "9:41")


def test_without_stream_and_poll_the_link_is_down() -> None:
    """MD-02"""
    morning = Morning("9:40:10")
    morning.switch.line.connecting(morning.now)
    morning.the_stream_breaks()
    morning.until("9:41:10")
    assert morning.switch.line.connection().state is ConnectionState.POLLING

    morning.answers = False
    morning.until("9:42:10")

    connection = morning.switch.line.connection()
    assert (connection.state, connection.words) == (ConnectionState.DOWN, "no answer")

    morning.answers = True
    morning.until("9:43:10")

    connection = morning.switch.line.connection()
    assert (connection.state, connection.words) == (ConnectionState.POLLING, "broken off")


def test_a_failed_question_backs_off() -> None:
    """EX-15's back-off, for questions of the market"""
    morning = Morning("9:40:10")
    morning.answers = False

    morning.until("9:41:00")

    assert [when for when, _ in morning.asked] == [
        "09:40:11", "09:40:12", "09:40:13", "09:40:15", "09:40:19", "09:40:27", "09:40:42", "09:40:57",
    ]  # fmt: skip


def test_a_server_that_asks_to_be_left_alone_is() -> None:
    """MD-04: Retry-After"""
    morning = Morning("9:40:10")

    morning.switch.failed(morning.now, Failure("429", at_least=timedelta(seconds=17)))

    assert morning.switch.catch_up.ask_at(morning.now) == at("9:40:27")


def test_a_skipped_minute_is_asked_for() -> None:
    """MD-02: no bar is lost; the one after it waits for the answer."""
    morning = Morning("9:29:50")
    morning.the_stream_opens()
    morning.until("9:35:30")

    at_first = morning.switch.heard_bar(a_bar("9:36"), at("9:37:00"))
    span = morning.switch.catch_up.question(at("9:37:00"))
    assert span is not None
    told = morning.switch.answered(span, [a_bar("9:33"), a_bar("9:34"), a_bar("9:35")], at("9:37:01"))

    assert at_first == []
    assert morning.switch.catch_up.ask_at(at("9:37:02")) is None
    assert clocks(told) == ["09:35", "09:36"]


def test_a_thin_symbol_is_asked_for_once_a_gap() -> None:
    """MD-02: what an answer covered is known."""
    morning = Morning("9:29:50", (SPY, QQQ))
    switch = morning.switch
    morning.the_stream_opens()
    told, asked = [], 0
    for minute in range(31, 51):
        now = at(f"9:{minute}:00")
        told += switch.heard_bar(a_bar(f"9:{minute - 1}", SPY), now)
        if minute % 5 == 0:
            told += switch.heard_bar(a_bar(f"9:{minute - 1}", QQQ), now)
        if switch.catch_up.ask_at(now) is not None and (span := switch.catch_up.question(now)):
            asked += 1
            told += switch.answered(span, [], now)

    assert asked == 4
    assert clocks([minute for minute in told if minute.bar.symbol == SPY]) == every_minute("9:30", "9:49")
    assert clocks([minute for minute in told if minute.bar.symbol == QQQ]) == ["09:34", "09:39", "09:44", "09:49"]


def test_one_question_covers_all_gaps() -> None:
    """MD-02"""
    morning = Morning("9:29:50", (SPY, QQQ))
    morning.the_stream_opens()
    morning.until("9:31:30")
    for minute in range(32, 36):
        morning.switch.heard_bar(a_bar(f"9:{minute - 1}", SPY), at(f"9:{minute}:00"))

    morning.switch.heard_bar(a_bar("9:36", SPY), at("9:37:00"))
    morning.switch.heard_bar(a_bar("9:36", QQQ), at("9:37:00"))
    span = morning.switch.catch_up.question(at("9:37:00"))

    assert span == MinuteSpan(at("9:30"), at("9:36"))


def test_a_gap_holds_others_for_five_seconds(snapshot: SnapshotAssertion) -> None:
    """MD-02"""
    morning = Morning("9:29:50")
    morning.the_stream_opens()
    morning.until("9:35:30")
    morning.switch.heard_bar(a_bar("9:36"), at("9:37:00"))

    morning.switch.failed(at("9:37:01"), Failure("no answer"))
    too_soon = morning.switch.due(at("9:37:04"))
    told = morning.switch.due(at("9:37:05"))

    assert too_soon == []
    assert clocks(told) == snapshot


MOVES = st.lists(
    st.tuples(st.sampled_from(["open", "break", "mute", "speak", "deaf", "hearing"]), st.integers(1, 90)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=25)
@given(MOVES)
def test_each_minute_comes_once_and_in_order(moves: list[tuple[str, int]]) -> None:
    """MD-02: a minute is missing only where its hole was named."""
    morning = Morning("9:29:50", (SPY, QQQ))
    for move, seconds in moves:
        line = morning.switch.line
        if move == "open" and line.opened_at is None:
            morning.the_stream_opens()
        elif move == "break" and line.opened_at is not None:
            morning.the_stream_breaks()
        elif move in ("mute", "speak"):
            morning.speaks = move == "speak" and line.opened_at is not None
        elif move in ("deaf", "hearing"):
            morning.answers = move == "hearing"
        morning.lasts(seconds)
    morning.answers = True
    if morning.switch.line.opened_at is None:
        morning.the_stream_opens()
    morning.speaks = True
    morning.lasts(200)

    for symbol in (SPY, QQQ):
        bars = morning.bars(symbol)
        assert bars == sorted(set(bars))
        if not morning.oddities():
            assert bars == every_minute("9:30", bars[-1].removeprefix("0"))
            assert morning.counts.seen(Seen.LATE) == 0
