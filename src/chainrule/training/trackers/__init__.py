"""Callbacks that record a training with the clients of experiment trackers."""
