"""A user's strategy in a process of its own: the desk's side, the process, and the pipe between them (ST-01)."""
