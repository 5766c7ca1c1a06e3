"""The objects that users work with: a network, and a network with its table's encoder."""
