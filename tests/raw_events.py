"""Events put straight into the store, as the intake would."""

from datetime import timedelta
from uuid import uuid4

from sqlalchemy import insert

from tallymark.db.tables import event_keys, event_streams, events

CODE = "m"


async def store(database, organization_id, sent, *, start):
    """Store (offset in seconds, properties) in the order of arrival; the external id of the subscription that they are of."""
    subscription = uuid4().hex
    async with database.system() as connection:
        stream = {
            "organization_id": organization_id,
            "external_subscription_id": subscription,
            "code": CODE,
        }
        returning = insert(event_streams).returning(event_streams.c.id)
        stream_id = (await connection.execute(returning, stream)).scalar_one()
        rows = [
            {
                "id": uuid4(),
                "stream_id": stream_id,
                "organization_id": organization_id,
                "transaction_id": str(number),
                "timestamp": start + timedelta(seconds=offset),
                "created_at": start + timedelta(microseconds=number),
                "properties": properties,
            }
            for number, (offset, properties) in enumerate(sent)
        ]
        if rows:
            await connection.execute(insert(events), rows)
            keys = [{name: row[name] for name in event_keys.c.keys()} for row in rows]  # noqa: SIM118 - not a dict
            await connection.execute(insert(event_keys), keys)
    return subscription
