"""Panes, one in each file, on one shared grid.

A pane draws the view that it is given, sends messages up and fetches nothing.
"""
