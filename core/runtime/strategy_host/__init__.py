"""A user's strategy in its own process: the desk's side, the process, and the pipe between them (ST-01)."""
