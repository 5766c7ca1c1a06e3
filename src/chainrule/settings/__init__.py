"""The table of settings, and the networks, losses, optimizers and rules built from settings."""
