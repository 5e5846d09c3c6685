"""An installation for each test that is to be broken; made once for the run, then copied."""

from tests.whole.conftest import first, installation

__all__ = ["first", "installation"]
