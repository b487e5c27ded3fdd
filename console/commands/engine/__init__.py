"""`keyturn engine`: the engine as a service. One subcommand per file; `group.py` lists them."""
