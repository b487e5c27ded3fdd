"""docs/MESSAGES.md holds every message of the program, and somebody judged each."""

from __future__ import annotations

from docs.messages import (
    PAGE,
    ROOMS,
    Judgement,
    Judgements,
    Place,
    judgements,
    messages,
    other_words,
    page,
    room_of,
    said_in,
    unjudged,
    unsaid,
)

NOTHING_KNOWN = Judgements({}, frozenset(), {})


def templates_in(source: str, file: str = "core/any.py") -> list[str]:
    return [template for template, _ in said_in(source, file)]


# ── the page ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_message_of_the_code_was_judged() -> None:
    """SY-07: where this fails, judge the named message in docs/messages.toml."""
    assert unjudged(messages(), judgements()) == []


def test_nothing_is_judged_that_nobody_says() -> None:
    """SY-07"""
    assert unsaid(messages(), judgements()) == []


def test_one_thing_has_one_word() -> None:
    """SY-07"""
    assert other_words(messages(), judgements()) == []


def test_the_committed_page_is_what_a_fresh_generation_would_write() -> None:
    """SY-07: where this fails, run `.venv/bin/python docs/messages.py`."""
    assert PAGE.read_text() == page()


def test_every_judgement_says_what_happened_and_what_to_do() -> None:
    """SY-07"""
    known = judgements()

    assert all(judgement.happened and judgement.to_do for judgement in known.judged.values())
    assert not known.parts & known.judged.keys()


def test_every_room_has_messages() -> None:
    """SY-07"""
    rooms = {room_of(places[0].file) for places in messages().values()}

    assert rooms == set(ROOMS)


# ── what a message is ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_message_is_known_by_its_words_and_its_fields_by_braces() -> None:
    """SY-07"""
    source = 'def told(n):\n    return f"only {n:,} are left\\n to close"'

    assert list(said_in(source, "core/any.py")) == [("only {} are left to close", "told")]


def test_two_words_are_a_message_where_they_are_handed_to_what_speaks() -> None:
    """SY-07"""
    assert templates_in('desk.say("nothing held", "strong")') == ["nothing held"]
    assert templates_in('raise DiskError(f"{path}: full")') == ["{}: full"]
    assert templates_in('label("nothing held")') == []


def test_both_ends_of_a_choice_are_messages_and_its_field_is_none() -> None:
    """SY-07"""
    assert templates_in("say('no exit' if none else f'{count} exit{\"s\" if many else \"\"}')") == [
        "no exit",
        "{} exit{}",
    ]


def test_a_shouted_word_is_a_message_by_itself() -> None:
    """SY-07"""
    assert templates_in('Cell("ENTRIES OFF")') == ["ENTRIES OFF"]


def test_docstrings_styles_and_help_are_no_messages() -> None:
    """SY-07"""
    source = '''
"""The first paragraph of a file."""
class Pane:
    """What a pane is for."""
    DEFAULT_CSS = "Pane { border: solid red; }"
    count: Annotated[int, typer.Option(help="How many records are shown.")]
'''
    assert templates_in(source) == []


# ── what is told ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_message_without_a_judgement_is_named_with_its_place() -> None:
    """SY-07"""
    found = {"the line went dead": (Place("core/market/alpaca/stream.py", "Stream.read"),)}

    assert unjudged(found, NOTHING_KNOWN) == [
        "core/market/alpaca/stream.py, Stream.read: 'the line went dead' has no judgement in docs/messages.toml"
    ]


def test_a_judgement_of_what_is_said_no_more_is_named() -> None:
    """SY-07"""
    known = Judgements({"it was": Judgement("it", "–")}, frozenset({"a part"}), {})

    assert unsaid({}, known) == [
        "docs/messages.toml: 'it was' is said nowhere; take it out",
        "docs/messages.toml: 'a part' is said nowhere; take it out",
    ]


def test_another_word_for_the_same_thing_is_named_and_a_broker_keeps_his_own() -> None:
    """SY-07"""
    known = Judgements({}, frozenset(), {"put away": "put aside"})
    ours, theirs = Place("core/workflows/proposing.py", "leave"), Place("core/brokers/simulated/rules.py", "leave")

    assert other_words({"it was put away": (theirs,)}, known) == []
    assert other_words({"it was put away": (ours,)}, known) == [
        "core/workflows/proposing.py, leave: 'it was put away' says 'put away'; the desk's word is 'put aside'"
    ]
