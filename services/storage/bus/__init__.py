"""What storage answers and hears on the bus."""
