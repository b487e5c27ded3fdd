"""Post-mortems: results of trades and days, explained from the journal; they decide nothing (AN-03, AN-06)."""
