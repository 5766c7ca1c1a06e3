"""What training, models and reports draw, as objects that show themselves.

It stands below the objects it draws, so that those can return pictures of themselves: it is given
their numbers, never the objects.
"""
