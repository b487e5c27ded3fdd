"""Inputs enter the engine, commands are what a person may say, effects are what the engine asks of the world."""
