"""The loop: batches, validation, stopping. It yields events; everything else consumes them."""
