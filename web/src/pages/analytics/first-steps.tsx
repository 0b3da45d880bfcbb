/** What an organization that has billed nothing yet does first; every step is ticked by what is really there. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Check } from "lucide-react";
import { read } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { Section, Tally } from "@/ui/basics";

export function FirstSteps() {
  const can = useCan();
  const one = { params: { query: { per_page: "1" } } };
  const metrics = useQuery({
    ...read("/api/v1/billable_metrics", one),
    enabled: can("billable_metrics:view"),
  });
  const plans = useQuery({ ...read("/api/v1/plans", one), enabled: can("plans:view") });
  const customers = useQuery({ ...read("/api/v1/customers", one), enabled: can("customers:view") });
  const subscriptions = useQuery({
    ...read("/api/v1/subscriptions", one),
    enabled: can("subscriptions:view"),
  });
  const events = useQuery({ ...read("/api/v1/events", one), enabled: can("developers:manage") });
  const invoices = useQuery({ ...read("/api/v1/invoices", one), enabled: can("invoices:view") });
  const steps: [title: string, about: string, href: string, verb: string, count: number | undefined][] = [
    [
      "Define what you meter",
      "A billable metric counts or sums events.",
      paths.metrics.create(),
      "New metric",
      metrics.data?.meta.total_count,
    ],
    [
      "Put a price on it",
      "A plan has a fee, and charges on metrics.",
      paths.plans.create(),
      "New plan",
      plans.data?.meta.total_count,
    ],
    [
      "Add a customer",
      "Or let your app create them over the API.",
      paths.customers.create(),
      "New customer",
      customers.data?.meta.total_count,
    ],
    [
      "Subscribe them",
      "From a day on, by the calendar or its anniversary.",
      paths.subscriptions.create(),
      "New subscription",
      subscriptions.data?.meta.total_count,
    ],
    [
      "Send an event",
      "With an API key, from where things happen.",
      paths.developers(),
      "API keys",
      events.data?.meta.total_count,
    ],
    [
      "See the invoice",
      "It takes shape while usage comes in.",
      paths.invoices.list(),
      "Invoices",
      invoices.data?.meta.total_count,
    ],
  ];
  const done = steps.filter(([, , , , count]) => (count ?? 0) > 0).length;
  return (
    <Section
      title="First steps"
      meta={
        <span className="row">
          <Tally count={Math.min(5, done)} size={24} /> {done} of {steps.length}
        </span>
      }
    >
      <ol className="steps">
        {steps.map(([title, about, href, verb, count]) => (
          <li key={title}>
            <span className={count ? "tick done" : "tick"}>
              {count ? <Check className="i" aria-label="done" /> : null}
            </span>
            <div>
              <b className="med">{title}</b>
              <div className="small dim">{about}</div>
            </div>
            <Link to={href} className="btn btn-sm">
              {verb}
            </Link>
          </li>
        ))}
      </ol>
    </Section>
  );
}
