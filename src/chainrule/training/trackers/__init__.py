"""Callbacks that pass a training on to the clients of experiment trackers."""
