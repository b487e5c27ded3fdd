"""The parts of the ticket's screen: what it stands at, what is painted, which word it asks for, what its lines say."""
