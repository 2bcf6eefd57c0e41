-- The ids of the column keys that the values of an encrypted column may be sealed under: the first one seals. While a
-- column is resealed, `resealed_to` is the sequence of the last row that was.
ALTER TABLE data.columns
    ADD COLUMN seal_keys text[] NOT NULL DEFAULT '{}',
    ADD COLUMN resealed_to bigint NOT NULL DEFAULT 0;
