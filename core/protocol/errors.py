"""The error for invalid protocol data."""

from __future__ import annotations


class FrameError(Exception):
    """Data that the protocol does not allow, received or to be sent; the message gives fault and place."""
