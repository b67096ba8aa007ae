"""Proof that what was acknowledged is kept: processes killed, servers away, disks full."""
