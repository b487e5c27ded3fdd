"""`keyturn engine`: the engine as a service. One subcommand a file; `group.py` names them."""
