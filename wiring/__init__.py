"""How a desk is put together: the part of the composition root that is more than a list of its commands."""
