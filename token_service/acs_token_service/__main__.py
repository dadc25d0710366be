"""`python -m acs_token_service`."""

import sys

from .cli import main

sys.exit(main())
