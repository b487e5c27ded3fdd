"""One pane a file, on one shared grid: it draws the view that it is given, sends messages up and fetches nothing."""
