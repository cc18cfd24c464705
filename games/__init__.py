"""Games made with the engine. Each is a package that offers `GAME`."""
