"""Recording a training: its parameters after each epoch, and the numbers of its animation."""
