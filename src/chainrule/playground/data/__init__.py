"""The playground's data: toy data, samples, and users' tables."""
