"""The command line: one subcommand a file, each with what it needs of state, core and console put together."""
