"""What will happen: network arrays and the cascade of failures over them."""
