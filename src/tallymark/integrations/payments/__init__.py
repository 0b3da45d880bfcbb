"""Payment providers, one module for each kind of `rooms.payment_providers.ports.PaymentProvider`."""
