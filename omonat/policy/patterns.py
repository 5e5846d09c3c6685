"""How names are spelled."""

import re

_KEBAB = r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"

PATTERNS = {
    "kebab": re.compile(_KEBAB),
    "promise": re.compile(r"[A-Z][0-9]{1,2}"),
    "source": re.compile(f"{_KEBAB}/{_KEBAB}"),
}
