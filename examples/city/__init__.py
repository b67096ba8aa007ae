"""The city of Micropolis: an ontology, its dependencies, and a converter from the source files."""
