"""The mathematics, once: pure functions over any array-API namespace, one example a column."""
