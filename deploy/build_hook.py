"""The build of the package (hatchling calls this): it writes the OpenAPI document of all services into the wheel."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLACE = "shared/web/openapi.json"
"""Where `shared.web.openapi.packaged` looks."""
SCRIPT = "import sys; from services.embedded.openapi import whole; sys.stdout.buffer.write(whole())"


class OpenApiHook(BuildHookInterface[Any]):  # Any: the builder's configuration, which this does not read
    """Adds the document to a wheel; an editable install has none, and each service serves its own part there."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # Any: hatchling's own
        """Make the document by the dependencies of the package, which a build without isolation finds installed."""
        if version == "editable":
            return
        made = subprocess.run(  # noqa: S603 a fixed command
            [sys.executable, "-c", SCRIPT], cwd=self.root, capture_output=True, check=False
        )
        if made.returncode:
            self.app.display_warning("no OpenAPI document: install the dependencies, and build without isolation")
            return
        document = Path(self.root) / "build" / "openapi.json"
        document.parent.mkdir(exist_ok=True)
        document.write_bytes(made.stdout)
        build_data["force_include"][str(document)] = PLACE
