"""Each night every strategy is judged by its closed trades: retired, paused, kept, or proposed for more (ST-10)."""
