"""Jobs of organizations take turns: whoever leaves many waits behind their own, and keeps nobody else waiting."""

from alembic import op

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None

# The queue is worked off by falling priority, then by age. A job's priority is its turn below zero: the turn after its
# organization's last one that waits, but none that has passed already. So with each turn comes one job of everybody's.
TURN = """
CREATE FUNCTION tallymark_turn(whose text) RETURNS integer
LANGUAGE sql VOLATILE SET search_path = public, pg_temp AS $$
    SELECT CAST(least(2147483647, greatest(
        0,
        (SELECT -CAST(min(priority) AS bigint) FROM procrastinate_jobs WHERE status = 'doing'),
        (SELECT -CAST(max(priority) AS bigint) FROM procrastinate_jobs WHERE status = 'todo'),
        (SELECT 1 - CAST(min(priority) AS bigint) FROM procrastinate_jobs
         WHERE status = 'todo' AND coalesce(args ->> 'organization_id', '') = whose)
    )) AS integer)
$$
"""

# By index each: the jobs that run, and those of an organization that wait.
INDEXES = (
    "CREATE INDEX tallymark_jobs_running_idx ON procrastinate_jobs (priority) WHERE status = 'doing'",
    """
    CREATE INDEX tallymark_jobs_turn_idx ON procrastinate_jobs ((coalesce(args ->> 'organization_id', '')), priority)
    WHERE status = 'todo'
    """,
)

ENQUEUE = """
CREATE OR REPLACE FUNCTION tallymark_enqueue(task text, arguments jsonb, lock_name text, run_at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM procrastinate_defer_jobs_v1(ARRAY[
        ROW('default', task, {priority}, NULL, lock_name, arguments, run_at)::procrastinate_job_to_defer_v1
    ]);
EXCEPTION WHEN unique_violation THEN
    NULL;  -- the same work waits in the queue already
END $$
"""
IN_TURN = "-tallymark_turn(coalesce(arguments ->> 'organization_id', ''))"

# What failed and waits for another try comes back behind its organization's others: a thousand failures do not pass anybody.
# A job that a stop cut off keeps its place.
AGAIN = """
CREATE FUNCTION tallymark_take_another_turn() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    NEW.priority := -tallymark_turn(coalesce(NEW.args ->> 'organization_id', ''));
    RETURN NEW;
END $$;
CREATE TRIGGER tallymark_another_turn BEFORE UPDATE OF status ON procrastinate_jobs FOR EACH ROW
WHEN (OLD.status = 'doing' AND NEW.status = 'todo' AND NEW.scheduled_at > now() + interval '1 second')
EXECUTE FUNCTION tallymark_take_another_turn()
"""


def upgrade() -> None:
    for statement in (TURN, *INDEXES, ENQUEUE.format(priority=IN_TURN), AGAIN):
        op.execute(statement)
    op.execute("REVOKE ALL ON FUNCTION tallymark_turn FROM PUBLIC")


def downgrade() -> None:
    op.execute("DROP TRIGGER tallymark_another_turn ON procrastinate_jobs")
    op.execute("DROP FUNCTION tallymark_take_another_turn")
    op.execute(ENQUEUE.format(priority="0"))
    op.execute("DROP INDEX tallymark_jobs_running_idx, tallymark_jobs_turn_idx")
    op.execute("DROP FUNCTION tallymark_turn")
