"""The `tickwire` command."""
