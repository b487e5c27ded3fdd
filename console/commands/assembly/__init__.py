"""Assembles a desk for a command from state, core and console; makes no decisions."""
