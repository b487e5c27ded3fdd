"""The exit rules that guard what any strategy opened: their terms, the rules, and what is remembered (ST-09)."""
