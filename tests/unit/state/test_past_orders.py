"""The file of orders that left memory: found by name, never behind the documents, made anew where it is bad."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.model.values import ClientOrderId
from core.ports import PastIndex, PastUnreadableError
from state.journal import PastFile


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "past-orders.db"


@pytest.fixture
def index(place: Path) -> Iterator[PastFile]:
    with closing(PastFile(place)) as made:
        yield made


def keep(index: PastIndex, *numbers: int, name: str = "order") -> None:
    for number in numbers:
        index.keep(number, ClientOrderId(f"{name}-{number}"), f"content {number}".encode(), f"sum {number}")


def found(index: PastIndex, name: str, until: int = 99) -> bytes | None:
    return index.find(ClientOrderId(name), until)


def opened_again(index: PastFile, place: Path) -> PastFile:
    index.close()
    return PastFile(place)


def test_saved_orders_are_found_by_the_next_process(index: PastFile, place: Path) -> None:
    """SP-02, EX-04"""
    keep(index, 1, 2)
    index.save()
    keep(index, 3)

    with closing(opened_again(index, place)) as again:
        assert [found(again, f"order-{n}") for n in (1, 2, 3)] == [b"content 1", b"content 2", None]
        assert [again.covers(n, f"sum {n}") for n in (1, 2, 3)] == [True, True, False]
        assert again.covers(0, "")


def test_nothing_is_written_before_a_save(index: PastFile, place: Path) -> None:
    """SP-02: whoever only looks writes nothing"""
    keep(index, 1)

    assert found(index, "order-1") == b"content 1"
    assert index.covers(1, "sum 1")
    assert not place.exists()


def test_the_file_is_the_owners_alone(index: PastFile, place: Path) -> None:
    """SP-05"""
    keep(index, 1)
    index.save()

    assert place.stat().st_mode & 0o777 == 0o600


def test_an_order_kept_twice_has_both_states(index: PastFile) -> None:
    """SP-03: a journal that is folded once more finds what it found the first time"""
    name = ClientOrderId("one")
    index.keep(1, name, b"first", "a")
    index.save()
    index.keep(2, name, b"second", "b")

    assert (found(index, "one", 1), found(index, "one", 2)) == (b"first", b"second")
    index.save()
    assert (found(index, "one", 1), found(index, "one", 2)) == (b"first", b"second")


def test_another_journals_orders_are_overwritten(index: PastFile, place: Path) -> None:
    """SP-02: as after a restore"""
    keep(index, 1, 2, 3, name="other")
    index.save()
    with closing(opened_again(index, place)) as again:
        assert not again.covers(2, "this-sum")
        again.keep(1, ClientOrderId("mine"), b"mine", "this-sum")
        again.save()

        assert (found(again, "mine", 1), found(again, "other-1", 1)) == (b"mine", None)


def test_another_journals_orders_are_not_found(index: PastFile, place: Path) -> None:
    """EX-04: as where a demo begins anew with the same seed, and with the same names"""
    keep(index, 1, 2, 3, name="same")
    index.save()
    with closing(opened_again(index, place)) as again:
        again.keep(1, ClientOrderId("same-9"), b"mine", "a")
        again.keep(2, ClientOrderId("same-8"), b"mine", "b")

        assert [found(again, f"same-{n}", 2) for n in (1, 2, 3, 8, 9)] == [None, None, None, b"mine", b"mine"]


def test_a_damaged_index_is_rebuilt(index: PastFile, place: Path) -> None:
    """SP-02"""
    place.write_bytes(b"no database at all" * 100)
    place.chmod(0o600)
    assert not index.covers(1, "sum 1")
    keep(index, 1, 2)
    index.save()

    with closing(opened_again(index, place)) as again:
        assert again.covers(2, "sum 2")


def test_a_lookup_in_a_damaged_index_raises(index: PastFile, place: Path) -> None:
    """EX-04: whether a name was used is never guessed"""
    place.write_bytes(b"no database at all" * 100)
    place.chmod(0o600)

    with pytest.raises(PastUnreadableError, match=r"past-orders\.db: .*start again"):
        found(index, "order-1")


def test_a_failed_write_is_tried_again(index: PastFile, place: Path) -> None:
    """SP-06"""
    keep(index, 1)
    place.mkdir()
    with pytest.raises(OSError, match=r"past-orders\.db"):
        index.save()
    place.rmdir()
    index.save()

    with closing(sqlite3.connect(place)) as line:
        assert line.execute("select number, name from past").fetchall() == [(1, "order-1")]


def test_a_pipe_in_its_place_is_refused(index: PastFile, place: Path) -> None:
    """SP-05"""
    os.mkfifo(place)

    assert not index.covers(1, "sum 1")
    keep(index, 1)
    with pytest.raises(OSError, match=r"past-orders\.db"):
        index.save()
