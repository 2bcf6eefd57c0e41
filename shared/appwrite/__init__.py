"""The wire of Appwrite, not of HTTP: cookies, CORS, what a client says of itself, permission strings."""
