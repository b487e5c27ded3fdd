"""Orders in flight: submitted, cancelled, replaced, looked up, filled."""
