"""One fit for every training: it takes a plan and emits events, which everything else consumes."""
