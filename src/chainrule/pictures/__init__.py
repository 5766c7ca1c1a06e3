"""Pictures and tables of trainings, models and reports, for notebooks and terminals.

In the layers, this package is below the objects that it draws, so that they can return pictures: it
takes their numbers, never the objects.
"""
