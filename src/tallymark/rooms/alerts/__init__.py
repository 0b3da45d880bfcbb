"""Alerts: who wants to be told when usage or a wallet's balance crosses a value."""
