"""All settings, one chapter per file; their recorded form, and the changes between two files."""
