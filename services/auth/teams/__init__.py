"""Teams and memberships. May read people and projects."""
