"""What the page shows of one moment of a training: equations, gradients, a surface, measures.

Everything here is a pure function of a `Snapshot` and returns JSON-ready values.
"""
