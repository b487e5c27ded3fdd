"""Exit rules for positions of any strategy: their terms, the rules, and their saved marks (ST-09)."""
