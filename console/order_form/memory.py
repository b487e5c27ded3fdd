"""What the order forms of one desk share: drafts that were left, and the presets of its operator."""

from __future__ import annotations

from console.order_form.kept import KeptOrders
from console.order_form.presets import Presets


class FormMemory:
    """Empty and as shipped, until the desk says otherwise."""

    def __init__(self) -> None:
        self.kept = KeptOrders()
        self.presets = Presets()
