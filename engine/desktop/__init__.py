"""The machine people sit at: window, input devices, drawing and sound. The sole importer of pygame.

Nothing is imported here, so that asking for one part does not load the others; see `window`, `loop`, `software`,
`offscreen`, `pump`, `mixer` and `widgets`.
"""

import os

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
