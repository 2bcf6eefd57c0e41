"""HTTP: endpoint declarations and what follows from them, errors, CORS, limits, health."""
