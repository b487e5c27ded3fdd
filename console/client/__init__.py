"""The console's way to an engine: commands in, views out."""
