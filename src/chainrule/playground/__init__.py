"""The playground: a page that shows a network while it is trained, and its server."""
