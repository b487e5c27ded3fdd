"""Research: computations on recorded data with numpy and pandas. Commands import it; engine, desk and runtime never."""
