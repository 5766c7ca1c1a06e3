"""A run: trains a model on a table by a config, and keeps its history and scores."""
