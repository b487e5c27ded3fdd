"""Puts a desk together for a command: state, core and console, and nothing decided here."""
