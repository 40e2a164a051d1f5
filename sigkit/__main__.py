"""`python -m sigkit` is the command `sigkit`."""

import sys

from sigkit._commands import main

sys.exit(main())
