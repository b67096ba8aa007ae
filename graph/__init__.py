"""What exists: twins and relationships, their stores, bulk in and out."""
