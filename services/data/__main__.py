"""`python -m services.data`."""

from services.data.composition import open_data
from services.data.settings import Settings
from shared.process.run import run

if __name__ == "__main__":
    run(Settings, open_data)
