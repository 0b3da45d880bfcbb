"""How customers look on the wire."""

from tallymark.rooms.customers.schemas.answers import (
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
from tallymark.rooms.customers.schemas.requests import CustomerRequest

__all__ = [
    "CustomerOutput",
    "CustomerRequest",
    "CustomerResponse",
    "CustomersResponse",
    "DetailedCustomerOutput",
    "ListedCustomerOutput",
    "PaymentMethodOutput",
    "PaymentMethodResponse",
    "PaymentMethodsResponse",
    "customer_fields",
]
