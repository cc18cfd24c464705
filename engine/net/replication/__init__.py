"""Many players in one world: snapshots, prediction, interpolation, lag compensation."""
