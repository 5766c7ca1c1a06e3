"""The objects that users hold: a network, and a network with its table's encoder."""
