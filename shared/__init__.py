"""What the services have in common; `shared` never imports `services`."""
