"""`python -m app COMMAND`: see app/cli."""

from __future__ import annotations

import os
import sys

from app.cli.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
