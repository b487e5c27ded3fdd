"""What-if analysis: a day replayed with one change, compared with the unchanged day (AN-06)."""
