"""Parts of the ticket screen: its status, its box, the required word, its lines."""
