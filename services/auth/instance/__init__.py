"""The instance as a whole: what the doctor examines, its health, the deletion of expired rows."""
