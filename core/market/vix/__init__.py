"""The VIX from a public source: asked over HTTP, remembered for an hour by every process, never invented (RK-19)."""
