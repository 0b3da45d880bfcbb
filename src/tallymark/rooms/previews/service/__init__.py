"""Preview an invoice: put the subscriptions into its scene, compute it, and show what came of it."""

from tallymark.rooms.previews.service.preview import Preview, preview

__all__ = ["Preview", "preview"]
