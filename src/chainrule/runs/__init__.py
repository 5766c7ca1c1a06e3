"""A run: from a table and what decides about it to a trained model, its history and its scores."""
