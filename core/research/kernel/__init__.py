"""The research kernel: the engine's backtest of one strategy in one symbol, compiled (AN-08)."""
