"""An order on its way: submitted, cancelled, replaced, looked up, filled."""
