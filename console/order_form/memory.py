"""State shared by the order forms of one desk: drafts, and the operator's presets."""

from __future__ import annotations

from console.order_form.kept import KeptOrders
from console.order_form.presets import Presets


class FormMemory:
    """No drafts and the shipped presets, until the desk sets others."""

    def __init__(self) -> None:
        self.kept = KeptOrders()
        self.presets = Presets()
