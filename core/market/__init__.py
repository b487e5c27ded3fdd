"""From raw market data to bars that a strategy may see: sources, router, normaliser, and the exchange's calendar.

Sources only read, the router only routes, and only the normaliser makes a domain object (MD-01). Nothing here knows an
order.
"""
