"""The one error of what is read from the other end."""

from __future__ import annotations


class FrameError(Exception):
    """What came, or was to go, is nothing that the protocol knows; the message says what and where."""
