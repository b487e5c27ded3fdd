"""The console's connection to an engine: commands in, views out."""
