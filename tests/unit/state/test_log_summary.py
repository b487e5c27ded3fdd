"""What the log repeats, counted."""

from __future__ import annotations

from datetime import UTC, date, datetime

from state.service_log.summary import problems, requests


def a_line(at: str, event: str = "note", words: str = "", level: str = "warning", **more: object) -> dict[str, object]:
    return {"at": at, "level": level, "event": event, "words": words, **more}


def test_one_kind_of_problem_is_counted_by_day() -> None:
    """SY-06: numbers, ids and the symbol tell cases apart, not kinds; the worst kind is first"""
    lines = [
        a_line("2026-01-05T15:00:00+00:00", words="order 7f3a in doubt: 8 s"),
        a_line("2026-01-06T15:00:00+00:00", words="order 91bc in doubt: 9 s"),
        a_line("2026-01-06T14:00:00+00:00", words="SPY is late", symbol="SPY"),
        a_line("2026-01-06T14:01:00+00:00", words="IBM is late", symbol="IBM"),
        a_line("2026-01-06T14:02:00+00:00", words="IBM is early", symbol="IBM"),
        a_line("2026-01-04T14:02:00+00:00", words="it raised", level="critical", event="exception"),
        a_line("2026-01-04T14:02:00+00:00", words="fine", level="info"),
    ]

    found = [(kind.level, kind.by_day.total(), kind.words) for kind in problems(lines)]

    assert found == [
        ("critical", 1, "it raised"),
        ("warning", 2, "IBM is late"),
        ("warning", 2, "order 91bc in doubt: 9 s"),
        ("warning", 1, "IBM is early"),
    ]
    doubted = problems(lines)[2]
    assert doubted.by_day == {date(2026, 1, 5): 1, date(2026, 1, 6): 1}
    assert (doubted.first, doubted.last) == (
        datetime(2026, 1, 5, 15, tzinfo=UTC),
        datetime(2026, 1, 6, 15, tzinfo=UTC),
    )


def test_requests_are_counted_by_endpoint_and_minute() -> None:
    """SY-06, RK-24: a line that somebody altered is no request"""
    calls = [("15:00:01", "books-1", 0.1), ("15:00:59", "books-2", 0.3), ("15:01:00", "books-3", 0.2)]
    lines = [
        *(
            a_line(f"2026-01-05T{at}+00:00", "call", level="debug", request=name, outcome="answered", seconds=seconds)
            for at, name, seconds in calls
        ),
        a_line("2026-01-05T15:02:00+00:00", "call", request="look_up-4", outcome="no_answer", seconds=8),
        a_line("2026-01-05T15:02:00+00:00", "call"),
        a_line("2026-01-05T15:02:00+00:00", "note", request="books-9", outcome="answered", seconds=1),
    ]

    books, look_up = (each.in_figures() for each in requests(lines))

    assert books == {
        "endpoint": "books",
        "requests": 3,
        "outcomes": {"answered": 3},
        "minutes": 2,
        "a_minute": 1.5,
        "most_a_minute": 2,
        "busiest_minute": datetime(2026, 1, 5, 15, tzinfo=UTC),
        "median_ms": 200.0,
        "slowest_ms": 300.0,
    }
    assert (look_up["endpoint"], look_up["outcomes"]) == ("look_up", {"no_answer": 1})
    assert requests([]) == []
