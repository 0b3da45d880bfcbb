"""What happens later to a customer: their VAT number is looked up. Safe to run twice."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog

from tallymark.db.engine import Database
from tallymark.domain.european_vat import read_vat_number
from tallymark.jobs.agenda import Batch
from tallymark.rooms.customers import service
from tallymark.rooms.customers.ports import RegisterUnavailable, VatRegister

log = structlog.get_logger(__name__)


class VatChecks:
    """Asks the register for the numbers that wait, outside of transactions (subscriptions §1.7)."""

    def __init__(self, database: Database, register: VatRegister) -> None:
        self._database = database
        self._register = register

    async def __call__(
        self, organization_id: UUID, batch: Batch, *, now: datetime, until: datetime, is_simulated: bool
    ) -> None:
        """Look up the numbers of a batch as of `now`; what gets no answer is asked again some time after `until`."""
        for check_id in batch.subject_ids:
            async with self._database.tenant(organization_id, is_simulated=is_simulated) as tx:
                check = await service.find_vat_check(tx, check_id)
            if check is None:
                continue
            number = read_vat_number(check.vat_number)
            try:
                answer = {"valid": False} if number is None else await self._register.look_up(number)
            except RegisterUnavailable as error:
                log.warning("VAT register gave no answer", attempt=check.attempts + 1, reason=str(error))
                async with self._database.tenant(organization_id, is_simulated=is_simulated) as tx:
                    await service.postpone_check(tx, check, now=until)
                continue
            async with self._database.tenant(organization_id, is_simulated=is_simulated) as tx:
                await service.record_answer(tx, check, number, answer, now=now)
