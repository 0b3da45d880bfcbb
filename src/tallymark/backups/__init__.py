"""`tallymark backup` and `tallymark restore`: a database with its documents in a folder, and back (docs/operations/backups.md)."""

from tallymark.backups.making import back_up
from tallymark.backups.manifest import Manifest, check
from tallymark.backups.restoring import Restored, restore

__all__ = ["Manifest", "Restored", "back_up", "check", "restore"]
