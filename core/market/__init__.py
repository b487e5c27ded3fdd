"""Market data: sources, router, normaliser, and the exchange's calendar.

Sources only read, the router only routes, and only the normaliser makes domain objects (MD-01). This package knows
nothing of orders.
"""
