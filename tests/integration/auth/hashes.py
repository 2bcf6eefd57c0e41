"""Hashes of PASSWORD that other programs made: OpenSSL, libcrypt, passlib, Node's crypto."""

from argon2 import PasswordHasher, Type

from tests.integration.auth.conftest import PASSWORD

SCRYPT = {
    "password": "8f962780a26ed18fd831f64cabb7716bd172f7e9bbdf017ca8464c6abbd84a45"
    "a75e26ac232273ddbda80974a0785ec7f6f17e3384c3cba9a5e19b537c09198c",
    "passwordSalt": "salt of sea",
    "passwordCpu": 16384,
    "passwordMemory": 14,
    "passwordParallel": 1,
    "passwordLength": 64,
}
SCRYPT_MODIFIED = {
    "password": "yx8dseuGoya1wCHzn0ZZNK37CKtNpCJ5oKvCI/dzF7SCYTKPTH7R3722ttDi4RiMwqTGk7QEfdPohRL3J6gTcf0=",
    "passwordSalt": "YSBzYWx0IG9mIGZpcmViYXNl",
    "passwordSaltSeparator": "Bw==",
    "passwordSignerKey": "dGhlIHNpZ25lciBrZXkgb2YgYSBwcm9qZWN0LCBvZiA2NCBieXRlcywgYXMgRmlyZWJhc2UgaGFzIHRoZW0uLi4=",
}
BCRYPT = "abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2"
PHPASS = "BabcdefghKfdE7H4Uy7ajxpijsjAJW0"
SHA = {
    "sha1": "2f9e53523b62abc141a2b4d6019d23cba835dbd0",
    "sha224": "be678ecb0e1e13fd0c1440995f43225ca83aeb66717e8ea790b867f2",
    "sha256": "4104d36f8da2c254349f85836793ebe029e0c957063a34c91c2e9203187b5631",
    "sha384": "02b20a6f2ebb1360a9a60f4cf90857363ed419c022b121567ce5f91c6e39664fb78fd60234c4a58b5bfc7145ae983292",
    "sha512/224": "3b63bd6be6759b3f8fd46e7157e3c319ac0b39bd8657d3d9d0d5f4e5",
    "sha512/256": "adfe73059f259340e325945da2dff9f935b28c30d0156e88e7e6ed0e02b670dd",
    "sha512": "56b698defedb5a435b634afe3320bbaf3fdcd920b6c503a446fc7b7a776b298d"
    "479d1ba6a8b617808eb0bf579ce9a95d668347bcab7149085ac93cb27995197b",
    "sha3-224": "a86d6ad79b1ada74dc73eaee0b17a480bb79df9163137113e201c847",
    "sha3-256": "e2bb427c913c99e9663c5d0e97472bd8618656cabbca6274c2743b0ebf107ce3",
    "sha3-384": "086571cdbd4d47381eeed0504b77fd55d2adf870ae469676a32885ba33aaecd4927ebd17a8ce6b1bf11dfe84145e7936",
    "sha3-512": "c5d05432d6da5971ab7798edf48d294ac28ee4d78ecbf0e1d236df3d12d3e640"
    "8462702ea047d0fc46aec01c43d9d403c713df217619da353e0c42399afbc33f",
}
GOOD = [
    ("md5", {"password": "3cb4e732631f47e6eb961f34554b7cde"}),
    ("md5", {"password": "3CB4E732631F47E6EB961F34554B7CDE"}),
    ("sha", {"password": SHA["sha3-512"]}),
    *(("sha", {"password": hash_, "passwordVersion": version}) for version, hash_ in SHA.items()),
    *(("bcrypt", {"password": f"$2{letter}$05${BCRYPT}"}) for letter in "aby"),
    *(("phpass", {"password": f"${letter}${PHPASS}"}) for letter in "PH"),
    ("scrypt", SCRYPT),
    ("scrypt-modified", SCRYPT_MODIFIED),
    *(
        ("argon2", {"password": PasswordHasher(time_cost=2, memory_cost=64, parallelism=2, type=kind).hash(PASSWORD)})
        for kind in Type
    ),
]
