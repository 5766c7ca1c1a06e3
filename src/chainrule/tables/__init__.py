"""Tables: reading them, turning their columns into numbers and back, dividing their rows."""
