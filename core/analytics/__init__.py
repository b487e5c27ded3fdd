"""Performance analytics: series, measures and their presentation. The desk does not depend on this package."""
