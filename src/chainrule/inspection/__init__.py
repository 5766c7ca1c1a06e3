"""Inspecting a network: the trace of a step, gradient checks, and attributions."""
