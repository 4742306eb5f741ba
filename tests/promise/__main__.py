"""`python -m tests.promise` writes the promise as it is now; read the difference before you commit it."""

import json

from tests.promise.content import STORED, promise

STORED.write_text(json.dumps(promise(), indent=1) + "\n")
