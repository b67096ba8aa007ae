"""Real servers for the tests: assembled, started on free ports, thrown away afterwards."""
