"""Each night every strategy is evaluated by its closed trades: retired, paused, kept, or proposed for more (ST-10)."""
