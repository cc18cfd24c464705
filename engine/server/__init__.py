"""A headless server: what surrounds the rooms it hosts, from its configuration to being found and watched."""
