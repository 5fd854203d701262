"""Secrets: what a run knows of them, how they are kept out of what is made from SQL, and the last gate."""

from factory.secrets.formats import formats, hits_in
from factory.secrets.gate import Gate, Leak, Place, fingerprint, refuse
from factory.secrets.variables import Secrecy, Variable, secrecy_of, variables_of
from factory.secrets.veil import Veil

__all__ = [
    "Gate",
    "Leak",
    "Place",
    "Secrecy",
    "Variable",
    "Veil",
    "fingerprint",
    "formats",
    "hits_in",
    "refuse",
    "secrecy_of",
    "variables_of",
]
