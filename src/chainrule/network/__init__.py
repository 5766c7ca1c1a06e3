"""The network model: a frozen specification and one flat parameter vector."""
