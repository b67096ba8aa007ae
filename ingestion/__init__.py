"""What is happening: readings from sources, judged, kept and made visible.

This room opens with telemetry; nothing is ingested yet.
"""
