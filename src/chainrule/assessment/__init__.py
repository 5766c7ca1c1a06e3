"""The quality of a trained model in numbers: scores, baselines, calibration, importance.

Nothing here draws or prints; the report and the command line do that.
"""
