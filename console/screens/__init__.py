"""Modal dialogs, one in each file."""
