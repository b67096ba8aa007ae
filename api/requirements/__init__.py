"""Requirements at their post: the file that is kept, the graph an import would give."""
