"""Readings coming in."""
