"""The command line: one subcommand per file, which assembles the parts of state, core and console that it needs."""
