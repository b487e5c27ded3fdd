"""What came of it, in figures: series, measures of them, and how they are told. Nothing of the desk needs this room."""
