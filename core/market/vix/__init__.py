"""The VIX from a public source: fetched over HTTP, cached for an hour for every process, never invented (RK-19)."""
