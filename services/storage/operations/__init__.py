"""One verb per function; transactions start here."""
