"""Messages: inputs enter the engine, commands come from the operator, effects are requests of the engine."""
