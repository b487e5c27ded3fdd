"""Terms that scale the risk of a trade (RK-10, RK-11): one per file, each a factor from 0 to 1 with its text.

A term reads only the plain figures that it is given. If a figure is missing it is left out and says so; then the fixed
risk applies. No term ever makes a trade larger.
"""

from __future__ import annotations

from core.risk.size_factors.base import Scale
from core.risk.size_factors.factors import AtrScale, CorrelationScale, KellyScale, ThrottleScale, TrendScale, VixScale

BINDING: tuple[Scale, ...] = (VixScale(), TrendScale(), CorrelationScale(), ThrottleScale())
"""Terms that lower the limit itself: an order over it is refused, also of a manual size.

`SizingBook.is_calm` tells quickly whether none of them can cut.
"""
ALL: tuple[Scale, ...] = (AtrScale(), *BINDING, KellyScale())
"""In the order in which a ticket lists them.

The first and the last are advisory: they change with each bar and trade.
"""
