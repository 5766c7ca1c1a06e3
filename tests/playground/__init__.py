"""The playground: its server, its sessions and its page."""
