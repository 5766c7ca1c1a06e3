"""What a network is: a frozen specification and one flat parameter vector."""
