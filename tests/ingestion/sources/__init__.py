"""Where readings come from by themselves."""
