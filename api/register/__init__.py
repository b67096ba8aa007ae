"""From a plain asset register to a first ontology, dependencies, twins and relationships."""
