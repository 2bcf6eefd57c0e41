"""`python -m services.token`."""

from services.token.composition import open_token
from services.token.settings import Settings
from shared.process.run import run

if __name__ == "__main__":
    run(Settings, open_token)
