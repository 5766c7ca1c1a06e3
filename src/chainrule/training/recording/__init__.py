"""Recording a training: its parameters epoch by epoch, and the numbers that a film of it shows."""
