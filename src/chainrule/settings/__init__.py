"""The table of settings; networks, losses, optimizers and rules by their settings' names."""
