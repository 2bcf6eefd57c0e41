"""PostgreSQL: pools, transactions and the migration runner."""
