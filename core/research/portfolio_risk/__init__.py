"""The risk of the positions held: value at risk, Monte Carlo, correlations, scenarios and shocks (AN-02)."""
