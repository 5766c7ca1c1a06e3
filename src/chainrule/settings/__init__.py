"""Networks, losses, optimizers and rules by the names of their settings, scikit-learn's."""
