"""Files that the package reads and writes."""
