"""`python -m services.storage`: the service as a process of its own, where no process of data hosts it."""

from services.storage.composition import open_storage
from services.storage.settings import Settings
from shared.process.run import run

if __name__ == "__main__":
    run(Settings, open_storage)
