"""The page that shows a training as it goes, and the server behind it."""
