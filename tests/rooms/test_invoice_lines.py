"""Which lines an invoice's document shows, how they are called, and in which order (invoicing §15)."""

from uuid import UUID

from tests import kit

from tallymark.integrations.documents.data import invoice_data
from tallymark.rooms.invoices import service as invoices


async def document(organization, database, who):
    (invoice,) = await kit.invoices(organization.client, who)
    async with database.tenant(organization.id) as tx:
        stored = await invoices.get_invoice(tx, UUID(invoice["lago_id"]))
        (view,) = await invoices.get_views(tx, [stored], now=stored.created_at)
    return invoice_data(view)


async def test_every_part_of_a_prorated_period_has_its_line(make_organization, database):
    """From 11 January: filters and groups in their names, the minimum's rest under its charge, the commitment last."""
    organization = await make_organization("2025-01-11T00:00:00Z")
    client = organization.client
    sold = await kit.metric(
        client, "sum_agg", field_name="value", filters=[{"key": "model", "values": ["large", "small"]}]
    )
    seats = (
        await kit.post(
            client,
            "/add_ons",
            {"add_on": {"name": "Seats", "code": "seats", "amount_cents": 900, "amount_currency": "EUR"}},
        )
    )["add_on"]
    charge = {
        **kit.charge(sold, amount="1", pricing_group_keys=["region"]),
        "invoice_display_name": "Tokens",
        "min_amount_cents": 3100,
        "filters": [
            {"values": {"model": ["large"]}, "properties": {"amount": "2", "pricing_group_keys": ["region"]}}
        ],
    }
    fixed = {
        "add_on_id": seats["lago_id"],
        "charge_model": "standard",
        "units": "2",
        "properties": {"amount": "9"},
    }
    plan = await kit.plan(
        client,
        charge,
        amount_cents=3100,
        fixed_charges=[fixed],
        minimum_commitment={"amount_cents": 31000, "invoice_display_name": "Minimum"},
    )
    who = await kit.customer(client)
    subscription = await kit.subscribe(client, who, plan)
    for model, region in (("large", "us"), ("small", "eu")):
        event = {
            "transaction_id": model,
            "external_subscription_id": subscription["external_id"],
            "code": sold["code"],
            "properties": {"value": 1, "model": model, "region": region},
        }
        await kit.post(client, "/events", {"event": event})
    await kit.advance(client, "2025-02-01T01:00")
    (section,) = (await document(organization, database, who))["sections"]
    shown = [(group["title"], [line["name"] for line in group["fees"]]) for group in section["groups"]]
    usage = shown[2][1]
    assert [title for title, _ in shown] == ["Subscription", "Fixed charges", "Usage", "Commitment"]
    assert usage[0] == "Tokens • eu"
    assert usage[1] == "Tokens • eu • minimum spend"
    assert usage[2] == "Tokens • us • large"
    assert shown[3][1] == ["Minimum"]
