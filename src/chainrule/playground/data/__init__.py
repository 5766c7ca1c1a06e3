"""What the playground trains on: toys, samples, and tables of one's own."""
