"""What a broker writes, as it reaches a telephone: nothing in it can be touched, and nothing usual is lost."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.model.notification_sanitizer import NO_LINK, NO_NUMBER, harmless
from tests.kit.rows import table

CALLS = [
    "+1 555 123 4567", "+15551234567", "+1 (555) 123-4567", "+49.30.1234567", "+49 30 1234567", "+44 (0)20 7946 0958",
    "00441234567890", "555-123-4567", "1-555-123-4567", "555.123.4567", "555 123 4567", "555 123-4567",
    "(555) 123-4567", "(555)123-4567", "555-1234", "030/1234567", "030 1234567", "020 7946 0958", "5551234567",
    "15551234567", "4917112345678", "1-800-FLOWERS", "*100#", "５５５-１２３-４５６７",
]  # fmt: skip
LINKS = [
    "tel:5551234", "TEL:5551234", "sms:555", "mailto:x", "javascript:alert", "data:x", "facetime:x",
    "https://evil.example/x", "evil://x", "keyturn:confirm/1", "10.0.0.1", "192.168.1.1:8080",
    "192.168.1.1:8080/sell?now", "[2001:db8::1]:8080", "2001:db8::1", "fe80::1", "::1",
]  # fmt: skip
USUAL = [
    "182.50", "0.0123456789", "1,234,567.89", "+1,234,567.00 USD", "-1,250.125", "+12.50", "+182.50", "+0.37",
    "14:30", "14:30:00", "14:30:00.250", "2026-11-20", "2026-11-20 14:30", "2026-11-20T14:30:00Z", "11/20/2026",
    "20.11.2026", "0.502", "100", "1234567", "100000000", "1234567890", "BRK.B", "BTC/USD", "SPY261120C00182500",
    "9.5 %", "9.5%", "50%", "40310000", "$1234567.50", "182.50-183.00", "1000-2000", "v1.2.3", "(1/3)", "(100) 200",
    "3 x 100", "≥ 5 ≤ 10",
]  # fmt: skip
"""As the broker and the desk write them: nothing of it is changed."""


@table("words", "{}", "call {} now", "call ({})", "at {}.", "x:{}", "{}, please", "rejected-{}")
def test_a_number_to_call_is_taken_away(words: str) -> None:
    """SY-03, SY-06"""
    for call in CALLS:
        told = harmless(words.format(call))
        assert NO_NUMBER in told or NO_LINK in told, call
        assert sum(map(str.isdigit, told)) <= 3, call


@table("words", "{}", "go to {} now", "go ({})", "see {}.")
def test_links_and_schemes_are_taken_away(words: str) -> None:
    """SY-03, SY-06"""
    for link in LINKS:
        told = harmless(words.format(link))
        assert NO_LINK in told, link
        assert not [part for part in ("5551234", "evil", "10.0", "192", "db8", "sell", "::") if part in told], link


@table(
    "outside told",
    ("whatsapp:1", "whatsapp: 1"),
    ("shortcuts:run", "shortcuts: run"),
    ("qty:1.5", "qty: 1.5"),
    ("code:40310000", "code: 40310000"),
    ('{"code":40310000,"message":"no qty"}', '{"code":40310000,"message":"no qty"}'),
    ("market data: stale", "market data: stale"),
    ("evil\u3002example", "evil example"),
)
def test_a_word_before_a_colon_is_no_scheme(outside: str, told: str) -> None:
    """SY-03, SY-06"""
    assert harmless(outside) == told


@table("words", "{}", "sold at {} today", "({})", "filled {}, rest open", "limit {}")
def test_what_is_usual_is_kept(words: str) -> None:
    """SY-03"""
    told = [words.format(usual) for usual in USUAL]

    assert [harmless(text) for text in told] == told


AROUND = st.text(st.sampled_from("a1 +-.:/@#()\n\x1bé中\u202e\u200b🚀"), max_size=40)
PLAIN = st.sampled_from(["SELL", "BUY", "SPY", "BRK.B", "limit", "at", "shares", "rejected:", "(stop)", "of", "USD"])
FIGURES = st.one_of(
    st.decimals(0, 999_999, places=2).map(str), st.decimals(-99_999, 99_999, places=2).map(lambda n: f"{n:+,.2f}"),
    st.integers(0, 99_999_999).map(str), st.times().map(lambda t: f"{t:%H:%M}"),
    st.times().map(lambda t: f"{t:%H:%M:%S}"), st.datetimes().map(lambda d: f"{d.year:04}-{d:%m-%d}"),
    st.integers(0, 1000).map(lambda n: f"{n}%"),
)  # fmt: skip


@settings(max_examples=30)
@given(st.lists(st.tuples(PLAIN, FIGURES), min_size=1, max_size=12))
def test_figures_between_words_are_kept(told: list[tuple[str, str]]) -> None:
    """SY-03: prices, money with its sign, quantities, times, dates, percentages."""
    words = " ".join(f"{word} {figure}" for word, figure in told)

    assert harmless(words) == words[:299] + "…" if len(words) > 300 else harmless(words) == words


@settings(max_examples=80)
@given(st.text(st.sampled_from("0123456789+-.:/() *#abteslw@中\u202e")))
@example("+1+555 123 4567")
def test_what_was_made_harmless_stays_as_it_is(text: str) -> None:
    """SY-03, SY-06: nothing that acts comes about by what was taken away."""
    once = harmless(text)

    assert harmless(once) == once


@settings(max_examples=80)
@given(AROUND, st.sampled_from([*CALLS, *LINKS]), AROUND)
def test_surrounding_text_hides_nothing(before: str, acts: str, after: str) -> None:
    """SY-03, SY-06"""
    told = harmless(f"{before} {acts} {after}")

    assert NO_NUMBER in told or NO_LINK in told
