-- By which API a database was made: `tablesdb` or `legacy`. Both show it.
ALTER TABLE data.databases ADD COLUMN type text NOT NULL DEFAULT 'tablesdb';
