"""What a page of the playground talks to: a training, or a model, and what is asked about it."""
