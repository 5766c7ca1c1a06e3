"""The mathematics, once: pure functions over any array-API namespace, with examples as columns."""
