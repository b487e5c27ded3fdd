"""Strategies at work: asked, warmed up, judged, advised."""
