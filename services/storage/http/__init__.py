"""HTTP: each module declares the endpoints of one noun, calls one operation, renders the result."""
