-- The issuer that JWTs name, fixed at the first start. The row is also what changes of the signing keys lock.
CREATE TABLE token.instance (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    issuer text NOT NULL
);

-- next: published, does not sign yet; active: signs; retiring: signs no more, its JWTs are good; gone: they are not.
-- Private keys are encrypted, and erased as soon as they sign no more.
CREATE TABLE token.signing_keys (
    kid         text PRIMARY KEY,
    algorithm   text NOT NULL,
    state       text NOT NULL CHECK (state IN ('next', 'active', 'retiring', 'gone')),
    jwk         text NOT NULL,
    private_key bytea,
    created_at  timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now(),
    CHECK ((private_key IS NOT NULL) = (state IN ('next', 'active')))
);
CREATE UNIQUE INDEX signing_keys_that_sign ON token.signing_keys (state) WHERE state IN ('next', 'active');
