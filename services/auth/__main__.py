"""`python -m services.auth`."""

from services.auth.composition import open_auth
from services.auth.settings import Settings
from shared.process.run import run

if __name__ == "__main__":
    run(Settings, open_auth)
