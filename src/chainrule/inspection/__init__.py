"""Looking inside one step: its trace, and its gradients against central differences."""
