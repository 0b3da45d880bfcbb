import { useQuery } from "@tanstack/react-query";
import { type ErrorComponentProps, Navigate, Outlet, useLocation, useRouter } from "@tanstack/react-router";
import { explainRead } from "@/api/errors";
import { Button, buttonClass, Tally } from "@/ui/basics";
import { Toasts } from "@/ui/toasts";
import { openedLast, sessionQuery } from "./session";

export function Root() {
  return (
    <>
      <a href="#main" className={`${buttonClass({ look: "primary" })} skip`}>
        Skip to the page
      </a>
      <Outlet />
      <Toasts />
    </>
  );
}

export function RootFault({ error }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <main className="door" id="main">
      <div className="empty">
        <Tally count={0} />
        <h1>Tallymark could not be reached</h1>
        <p>{explainRead(error)}</p>
        <div className="actions">
          <Button onClick={() => void router.invalidate()}>Try again</Button>
        </div>
      </div>
    </main>
  );
}

/** The first steps of addresses of which the organization has been left out. */
const AREAS = new Set(
  (
    "add-on add-ons analytics billable-metric billable-metrics change clock coupon coupons create credit-notes customer " +
    "customers developers duplicate feature features invoices payment payments plan plans regenerate settings " +
    "subscriptions top-up update void"
  ).split(" "),
);

export function RootMissing() {
  const { href, pathname } = useLocation();
  const isWithoutOrganization = AREAS.has(pathname.split("/")[1] ?? "");
  const session = useQuery({ ...sessionQuery, enabled: isWithoutOrganization });
  const open = session.data && openedLast(session.data.user);
  if (isWithoutOrganization && open) {
    const target: string = `/${open.organization.slug}${href}`;
    return <Navigate to={target} replace />;
  }
  if (isWithoutOrganization && session.isLoading) return null;
  return (
    <main className="door" id="main">
      <div className="empty">
        <Tally count={0} />
        <h1>There is no such page</h1>
        <p>The address is wrong, or you are no member of this organization.</p>
        <div className="actions">
          <a className={buttonClass()} href="/">
            To the start
          </a>
        </div>
      </div>
    </main>
  );
}
