"""What token answers and hears on the bus."""
