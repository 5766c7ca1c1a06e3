"""Ensembles: many networks trained on folds of the rows, and merged into one.

`chainrule.ensembles.training` conducts it; the estimators and the runs describe the networks.
"""
