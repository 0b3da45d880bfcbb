"""How customers look on the wire."""

from tallymark.rooms.customers.schemas.answers import (
    AddressOutput,
    CheckoutUrlOutput,
    CheckoutUrlResponse,
    CustomerOutput,
    CustomerResponse,
    CustomersResponse,
    DetailedCustomerOutput,
    ListedCustomerOutput,
    PaymentMethodOutput,
    PaymentMethodResponse,
    PaymentMethodsResponse,
    customer_fields,
)
from tallymark.rooms.customers.schemas.requests import AddressInput, CustomerRequest, Free, Short

__all__ = [
    "AddressInput",
    "AddressOutput",
    "CheckoutUrlOutput",
    "CheckoutUrlResponse",
    "CustomerOutput",
    "CustomerRequest",
    "CustomerResponse",
    "CustomersResponse",
    "DetailedCustomerOutput",
    "Free",
    "ListedCustomerOutput",
    "PaymentMethodOutput",
    "PaymentMethodResponse",
    "PaymentMethodsResponse",
    "Short",
    "customer_fields",
]
