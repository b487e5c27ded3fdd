"""The command line: one subcommand a file. What each may ask for is handed in by the composition root."""
