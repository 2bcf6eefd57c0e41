"""What data answers and hears on the bus."""
