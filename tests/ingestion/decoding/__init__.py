"""From the bytes of a source to frames."""
