-- Preferences come back as they were written: the order of their keys, and numbers as they were spelled.
ALTER TABLE auth.users
    ALTER COLUMN prefs DROP DEFAULT,
    ALTER COLUMN prefs TYPE json USING prefs::json,
    ALTER COLUMN prefs SET DEFAULT '{}';
