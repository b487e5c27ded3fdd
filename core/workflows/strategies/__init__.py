"""Strategies: their evaluation, warm-up, health and advice."""
