"""Files that the operator wrote, read whole: what is wrong is told with its place."""
