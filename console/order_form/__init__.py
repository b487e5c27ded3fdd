"""The logic of an order form: parsing, sizes, prices, and the values that the desk fills in."""
