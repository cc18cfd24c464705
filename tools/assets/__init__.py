"""How Ricochet's pictures, sounds and maps are made: one module for each kind of thing, and the two tool boxes they share."""
