"""Payment providers, each by its own API. What speaks it is read only where a kind is used: some take a third of a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tallymark.rooms.payment_providers.model import ProviderKind
from tallymark.rooms.payment_providers.ports import PaymentProvider

Make = Callable[[str | None], PaymentProvider]
"""Makes an adapter, which speaks to another base address than the vendor's if it is given one."""


def make_adapters(urls: Mapping[str, str]) -> Mapping[str, PaymentProvider]:
    """The adapters of all kinds; `urls` has other base addresses by kind, for tests and for proxies."""
    return _Adapters(urls)


class _Adapters(Mapping[str, PaymentProvider]):
    """Makes each adapter when it is first asked for, and keeps it with its pool of connections."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self._urls = urls
        self._made: dict[ProviderKind, PaymentProvider] = {}

    def __getitem__(self, name: str) -> PaymentProvider:
        if name not in _MAKERS:
            raise KeyError(name)
        kind = ProviderKind(name)
        if kind not in self._made:
            self._made[kind] = _MAKERS[kind](self._urls.get(kind))
        return self._made[kind]

    def __contains__(self, kind: object) -> bool:
        return kind in _MAKERS

    def __iter__(self) -> Iterator[str]:
        return iter(_MAKERS)

    def __len__(self) -> int:
        return len(_MAKERS)


def _stripe(url: str | None) -> PaymentProvider:
    from tallymark.integrations.payments.stripe.adapter import Stripe

    return Stripe(url)


def _adyen(url: str | None) -> PaymentProvider:
    from tallymark.integrations.payments.adyen import Adyen

    return Adyen(url)


def _gocardless(url: str | None) -> PaymentProvider:
    from tallymark.integrations.payments.gocardless import GoCardless

    return GoCardless(url)


def _cashfree(url: str | None) -> PaymentProvider:
    from tallymark.integrations.payments.cashfree import Cashfree

    return Cashfree(url)


def _flutterwave(url: str | None) -> PaymentProvider:
    from tallymark.integrations.payments.flutterwave import Flutterwave

    return Flutterwave(url)


def _moneyhash(url: str | None) -> PaymentProvider:
    from tallymark.integrations.payments.moneyhash import MoneyHash

    return MoneyHash(url)


_MAKERS: Mapping[ProviderKind, Make] = {
    ProviderKind.STRIPE: _stripe,
    ProviderKind.ADYEN: _adyen,
    ProviderKind.GOCARDLESS: _gocardless,
    ProviderKind.CASHFREE: _cashfree,
    ProviderKind.FLUTTERWAVE: _flutterwave,
    ProviderKind.MONEYHASH: _moneyhash,
}
