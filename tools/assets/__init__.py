"""How Ricochet's pictures, sounds and maps are made: a module for each kind of thing, over ``paint`` and ``synth``."""
