"""The principal that stands behind a credential. May read all the other wings."""
