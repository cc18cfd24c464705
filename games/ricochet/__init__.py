"""Ricochet: a neon arena in which your discs kill on the rebound, yourself included.

Read in this order: `components`, `commands`, `events` say what there is; `rules` lists what happens and when, one file
an idea; `bots` plays; `game` puts it together.
"""
