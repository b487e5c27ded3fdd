"""One modal a file: ticket, kill, new order, help, leave."""
