"""What an order form means: its texts read, its sizes, its prices, and what stands in it before anybody typed."""
