"""A faithful Ollama without a model, on a loopback socket. See README.md beside this file."""

from tests.fakes.ollama.catalogue import FakeModel
from tests.fakes.ollama.faults import Fault
from tests.fakes.ollama.record import Record
from tests.fakes.ollama.server import FakeOllama

__all__ = ["FakeModel", "FakeOllama", "Fault", "Record"]
