"""${message}"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None

# The oldest schema whose release can work on this one; None: whoever could before (docs/operations/upgrades.md).
needs = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
