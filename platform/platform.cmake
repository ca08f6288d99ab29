# What the platform room links.
