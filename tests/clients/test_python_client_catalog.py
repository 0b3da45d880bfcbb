"""The unmodified official Python client keeps add-ons, taxes, billing entities, the organization and customers."""

from __future__ import annotations

import pytest
from lago_python_client import Client
from lago_python_client.exceptions import LagoApiError
from lago_python_client.models import (
    AddOn,
    Address,
    BillingEntity,
    BillingEntityBillingConfiguration,
    BillingEntityUpdate,
    Customer,
    CustomerBillingConfiguration,
    Metadata,
    MetadataList,
    Organization,
    OrganizationBillingConfiguration,
    Tax,
)


def test_what_is_sold_and_who_sells_it(live):
    client = Client(api_key=live.api_key, api_url=live.url)
    client.taxes.create(Tax(name="VAT", code="vat", rate=20.0, applied_to_organization=False))

    made = client.add_ons.create(
        AddOn(name="Setup", code="setup", amount_cents=5000, amount_currency="EUR", tax_codes=["vat"])
    )
    assert (made.code, made.amount_cents, made.taxes.__root__[0].code) == ("setup", 5000, "vat")
    changed = client.add_ons.update(AddOn(name="Set-up", amount_cents=6000), "setup")
    assert (changed.name, changed.amount_cents, changed.amount_currency) == ("Set-up", 6000, "EUR")
    assert [row.code for row in client.add_ons.find_all()["add_ons"]] == ["setup"]
    assert client.add_ons.destroy("setup").code == "setup"
    with pytest.raises(LagoApiError) as refused:
        client.add_ons.find("setup")
    assert refused.value.status_code == 404

    entity = client.billing_entities.create(
        BillingEntity(
            code="paris",
            name="Paris",
            country="FR",
            timezone="Europe/Paris",
            billing_configuration=BillingEntityBillingConfiguration(invoice_grace_period=3),
        )
    )
    assert (entity.code, entity.timezone, entity.invoice_grace_period) == ("paris", "Europe/Paris", 3)
    renamed = client.billing_entities.update(BillingEntityUpdate(name="Paris 2", tax_codes=["vat"]), "paris")
    assert (renamed.name, renamed.taxes.__root__[0].code) == ("Paris 2", "vat")
    assert client.billing_entities.find("paris").invoice_grace_period == 3

    organization = client.organizations.update(
        Organization(
            default_currency="EUR",
            timezone="Europe/Rome",
            billing_configuration=OrganizationBillingConfiguration(invoice_footer="Grazie"),
        )
    )
    assert (organization.timezone, organization.billing_configuration.invoice_footer) == (
        "Europe/Rome",
        "Grazie",
    )


def test_who_pays(live):
    client = Client(api_key=live.api_key, api_url=live.url)
    client.customers.create(
        Customer(
            external_id="halden",
            name="Halden & Rowe",
            customer_type="company",
            country="IT",
            currency="EUR",
            timezone="Europe/Rome",
            shipping_address=Address(city="Rome"),
            metadata=MetadataList(__root__=[Metadata(key="tier", value="gold", display_in_invoice=True)]),
            billing_configuration=CustomerBillingConfiguration(
                payment_provider="stripe", document_locale="fr"
            ),
        )
    )
    found = client.customers.find("halden")
    assert (found.customer_type, found.applicable_timezone) == ("company", "Europe/Rome")
    assert found.metadata.__root__[0].key == "tier"
    assert (found.billing_configuration.payment_provider, found.billing_configuration.document_locale) == (
        "stripe",
        "fr",
    )
    listed = client.customers.find_all({"account_type[]": "customer", "countries[]": "IT"})
    assert [row.external_id for row in listed["customers"]] == ["halden"]
    with pytest.raises(LagoApiError) as refused:
        client.customers.checkout_url("halden")
    assert refused.value.response["error_details"] == {"base": ["no_linked_payment_provider"]}
    assert client.customers.destroy("halden").external_id == "halden"


def test_what_was_asked_for(live):
    client = Client(api_key=live.api_key, api_url=live.url)
    client.taxes.create(Tax(name="VAT", code="vat", rate=20.0, applied_to_organization=False))
    with pytest.raises(LagoApiError):
        client.taxes.destroy("unheard")
    failed, made = client.api_logs.find_all({"per_page": 10})["api_logs"]
    assert (failed.http_method, failed.http_status, failed.request_path) == (
        "delete",
        404,
        "/api/v1/taxes/unheard",
    )
    assert made.client.startswith("Lago Python v")
    assert (made.request_body["tax"]["code"], made.request_response["tax"]["rate"]) == ("vat", 20.0)
    assert client.api_logs.find(made.request_id) == made
    assert client.api_logs.find_all({"http_statuses[]": "failed"})["meta"]["total_count"] == 1


def test_what_was_done(live):
    client = Client(api_key=live.api_key, api_url=live.url)
    for name in ("Old", "New"):
        client.customers.create(Customer(external_id="c", name=name))
    changed, made = client.activity_logs.find_all({"external_customer_id": "c"})["activity_logs"]
    assert (made.activity_type, made.activity_source, made.resource_type) == (
        "customer.created",
        "api",
        "Customer",
    )
    assert made.activity_object["name"] == "Old"
    assert changed.activity_object_changes == {"name": ["Old", "New"]}
    assert client.activity_logs.find(made.activity_id) == made
