"""The disk of the tests of the state."""

from tests.unit.state.conftest import unsynced

__all__ = ["unsynced"]
