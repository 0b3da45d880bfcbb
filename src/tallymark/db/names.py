"""What a customer is called in SQL, as `Customer.display_name` says it."""

CUSTOMER_NAME = (
    "coalesce(nullif(c.name, ''), nullif(c.legal_name, ''), nullif(concat_ws(' ', nullif(c.firstname, ''), nullif(c.lastname, '')), ''),"
    " c.external_id)"
)
"""Of `customers c`."""
