"""The activations, each beside its derivative."""
