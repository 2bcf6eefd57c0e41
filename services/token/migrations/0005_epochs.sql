-- The epoch that the signing keys are of. In another one, which begins where the database was restored, they are gone.
ALTER TABLE token.instance ADD COLUMN epoch text NOT NULL DEFAULT '';
