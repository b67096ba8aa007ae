"""The Tennessee Eastman process: a chemical plant as an ontology, a topology and recorded runs."""
