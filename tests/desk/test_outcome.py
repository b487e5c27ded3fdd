"""How the program ends: 0 after a clean leave, and every other end is an error that says so."""

from __future__ import annotations

from console.desk import outcome
from tests.desk.desk_house import open_desk


async def test_a_clean_leave_is_0_and_all_else_an_error_with_a_line() -> None:
    async with open_desk() as house:
        desk = house.desk
        assert outcome(desk, has_closed=True) == (
            1,
            "the desk ended unexpectedly; `keyturn status` says how the account stands",
        )

        desk.was_left = True
        assert outcome(desk, has_closed=True) == (0, None)
        status, words = outcome(desk, has_closed=False)
        assert (status, "did not close" in str(words)) == (1, True)

        desk.failure = "the disk is full"
        assert outcome(desk, has_closed=True) == (1, "the disk is full")
