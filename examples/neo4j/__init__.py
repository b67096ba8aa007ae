"""What Neo4j Browser needs to show the demo's city well: a style sheet, saved queries, a picture."""
