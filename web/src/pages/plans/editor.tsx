/** The plan editor: sections at the left, the form in the middle, what the open price does at the right. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { Braces, Calculator } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useChange } from "@/api/client";
import { ApiError, explain } from "@/api/errors";
import { paths } from "@/app/paths";
import { useCan, useOrganization } from "@/app/session";
import { toCents } from "@/lib/money";
import { countWords } from "@/lib/words";
import { Button } from "@/ui/basics";
import { Json } from "@/ui/code";
import { codeFrom, FormPage } from "@/ui/form";
import { Dialog, Drawer } from "@/ui/overlays";
import { useTitle } from "@/ui/page";
import { allOf, Loaded, PageSkeleton, type QueryLike } from "@/ui/states";
import { notify } from "@/ui/toasts";
import { FixedCharges, type Open, UsageCharges } from "./charges";
import { type Choices, ChoicesContext, useAllChoices } from "./choices";
import { copyOf, NEW_PLAN, type PlanDraft } from "./draft";
import { Effect } from "./effect";
import { type Checks, useFaults } from "./faults";
import { FaultsContext } from "./parts";
import { endOf, type Looked, usePrices } from "./prices";
import { EVER, planRead, subscriptionsRead } from "./reads";
import { placesOf } from "./refusals";
import {
  Commitment,
  Entitlements,
  Metadata,
  ProgressiveBilling,
  Settings,
  SubscriptionFee,
  Taxes,
} from "./sections";
import { countChanges, type Plan, type Request, readPlan, requestsOf } from "./wire";
import "./plans.css";

export function CreatePlan() {
  const choices = useAllChoices();
  const { default_currency: currency } = useOrganization();
  if (!choices) return <PageSkeleton />;
  return <Editor initial={{ ...NEW_PLAN, currency }} choices={choices} touched={NOBODY} />;
}

export function UpdatePlan() {
  const { id } = useParams({ strict: false }) as { id: string };
  const plan = useQuery(planRead(id));
  const choices = useAllChoices();
  const touching = useTouched(id);
  const touched = touching.data;
  return (
    <Loaded query={touching.error ? { ...touching, data: undefined } : plan} what="Plan">
      {({ plan: saved }) =>
        choices && touched ? (
          <Editor
            key={saved.lago_id}
            initial={readPlan(saved)}
            saved={saved}
            choices={choices}
            touched={touched}
          />
        ) : (
          <PageSkeleton />
        )
      }
    </Loaded>
  );
}

export function DuplicatePlan() {
  const { id } = useParams({ strict: false }) as { id: string };
  const plan = useQuery(planRead(id));
  const choices = useAllChoices();
  return (
    <Loaded query={plan} what="Plan">
      {({ plan: copied }) =>
        choices ? (
          <Editor initial={copyOf(readPlan(copied))} choices={choices} touched={NOBODY} isCopy />
        ) : (
          <PageSkeleton />
        )
      }
    </Loaded>
  );
}

/** Whom a save touches. */
interface Touched {
  active: number;
  /** Active ones with prices of their own. */
  overridden: number;
  /** The same, and those that are still to begin. */
  followers: number;
  ever: number;
}

const NOBODY: Touched = { active: 0, overridden: 0, followers: 0, ever: 0 };

function useTouched(code: string): QueryLike<Touched> {
  const can = useCan();
  const enabled = can("subscriptions:view");
  const active = useQuery({ ...subscriptionsRead(code), enabled });
  const overridden = useQuery({ ...subscriptionsRead(code, { overridden: "true" }), enabled });
  const followers = useQuery({
    ...subscriptionsRead(code, { overridden: "true", "status[]": ["active", "pending", "incomplete"] }),
    enabled,
  });
  const ever = useQuery({ ...subscriptionsRead(code, EVER), enabled });
  const { data, ...all } = allOf([active, overridden, followers, ever]);
  const countOf = (query: typeof active) => query.data!.meta.total_count;
  const counted = data && {
    active: countOf(active),
    overridden: countOf(overridden),
    followers: countOf(followers),
    ever: countOf(ever),
  };
  return { ...all, data: enabled ? counted : NOBODY };
}

interface EditorProps {
  initial: PlanDraft;
  saved?: Plan;
  choices: Choices;
  touched: Touched;
  isCopy?: boolean;
}

function Editor({ initial, saved, choices, touched, isCopy }: EditorProps) {
  const [draft, setDraft] = useState(initial);
  const [open, setOpen] = useState<Open>({ key: initial.charges[0]?.key ?? null, filter: null });
  const [typed, setTyped] = useState<Record<string, string>>({});
  const [isShown, setShown] = useState(false);
  const isLocked = touched.ever > 0;
  useTitle(saved ? `Edit ${saved.name}` : "New plan");
  // The part that the address names is there only now.
  useEffect(() => document.getElementById(location.hash.slice(1))?.scrollIntoView(), []);
  const set = (changes: Partial<PlanDraft>) =>
    setDraft((before) => {
      const followsName = !saved && "name" in changes && before.code === codeFrom(before.name);
      return { ...before, ...(followsName && { code: codeFrom(changes.name ?? "") }), ...changes };
    });

  const checks = useFaults(draft);
  const requestsFor = (cascades: boolean) =>
    requestsOf({ draft, initial, code: saved?.code, features: choices.features, cascades });
  const requests = requestsFor(false);
  const showFault = (place: string) => {
    const [list, index] = place.split(".");
    const charge = list === "charges" || list === "fixed_charges" ? draft[list][Number(index)] : undefined;
    if (charge) setOpen({ key: charge.key, filter: filterAt(charge, place) });
    setTimeout(
      () =>
        document.querySelector(".form-body .err")?.scrollIntoView({ behavior: "smooth", block: "center" }),
      50,
    );
  };
  const placeRefusal = (refused: unknown) => {
    const places = refused instanceof ApiError ? placesOf(refused, draft.thresholds.length) : {};
    checks.refuse(places);
    const [first] = Object.keys(places);
    if (first) showFault(first);
    return first !== undefined;
  };
  const save = useSave({ saved, touched, requestsFor, checks, showFault, placeRefusal });
  const isDirty = isCopy || requests.length > 0;

  const looked = lookedAt(draft, open, choices, saved);
  const place = open.filter ?? open.key ?? "";
  const first = useRef<Record<string, string>>({});
  if (looked && !(Number(first.current[place]) <= endOf(looked)))
    first.current[place] = String(Math.round(endOf(looked) * 0.58));
  const units = typed[place] ?? first.current[place] ?? "";
  const answer = usePrices(looked, units);
  const parts = { draft, set, isLocked };
  const charges = {
    ...parts,
    open,
    onOpen: setOpen,
    points: answer?.isStale ? [] : (answer?.curve ?? []),
    hasFaults: checks.hasFaults,
  };
  const back = saved ? paths.plans.show(saved.code) : paths.plans.list();
  const navigate = useNavigate();
  return (
    <ChoicesContext value={choices}>
      <FaultsContext value={checks}>
        <FormPage
          title={saved ? "Edit plan" : "New plan"}
          subject={
            <>
              {saved && (
                <>
                  <span className="tag">{saved.name}</span>
                  <span className="dim id only-wide">{saved.code}</span>
                </>
              )}
              <span className="top-end">
                {saved && <span className="dim only-wide">{countWords(touched.active, "subscription")}</span>}
                <Button
                  look="ghost"
                  size="sm"
                  aria-label="View as API request"
                  onClick={() => setShown(true)}
                >
                  <Braces className="i" aria-hidden="true" />
                  <span className="only-wide">View as API request</span>
                </Button>
              </span>
            </>
          }
          submit={saved ? "Save plan" : "Create plan"}
          onSubmit={(event) => {
            event.preventDefault();
            if (!isDirty) void navigate({ to: back });
            else void save.run();
          }}
          onCancel={() => void navigate({ to: back })}
          isDirty={isDirty && !save.isDone}
          isBusy={save.isBusy}
          error={save.error}
          effect={<Touches changes={saved ? countChanges(initial, draft) : null} touched={touched} />}
          sections={<Contents draft={draft} open={open} onOpen={setOpen} choices={choices} checks={checks} />}
          aside={
            looked ? (
              <Effect
                looked={looked}
                answer={answer}
                typed={units}
                onType={(next) => setTyped((before) => ({ ...before, [place]: next }))}
              />
            ) : (
              <NothingOpen inUnits={open.key !== null} />
            )
          }
        >
          <Settings {...parts} />
          <SubscriptionFee {...parts} />
          <FixedCharges {...charges} />
          <UsageCharges {...charges} />
          <Commitment {...parts} />
          <ProgressiveBilling {...parts} />
          <Entitlements {...parts} />
          <Taxes {...parts} />
          <Metadata {...parts} />
        </FormPage>
        <RequestDrawer requests={requests} isOpen={isShown} onClose={() => setShown(false)} />
        <Cascade
          followers={touched.followers}
          isOpen={save.isAsking}
          isBusy={save.isBusy}
          onClose={save.cancel}
          onChoose={(cascades) => void save.run(cascades)}
        />
      </FaultsContext>
    </ChoicesContext>
  );
}

/** The filter of a charge that a place of its form is in. */
function filterAt(charge: object, place: string): string | null {
  const index = /\.filters\.(\d+)\./.exec(place)?.[1];
  const filters = "filters" in charge ? (charge.filters as { key: string }[]) : [];
  return index === undefined ? null : (filters[Number(index)]?.key ?? null);
}

function NothingOpen({ inUnits }: { inUnits: boolean }) {
  return (
    <div className="empty">
      <Calculator className="i i-20 dim" aria-hidden="true" />
      <h3>{inUnits ? "Priced in units of your own" : "No charge is open"}</h3>
      <p>
        {inUnits
          ? "Its amounts are converted at the rate of the charge."
          : "Open a charge to see the curve of its price and to try it on any number of units."}
      </p>
    </div>
  );
}

/** The price that is looked at: of the open charge, or of its open filter. */
function lookedAt(draft: PlanDraft, open: Open, choices: Choices, saved: Plan | undefined): Looked | null {
  const { currency } = draft;
  const charge = draft.charges.find(({ key }) => key === open.key);
  if (charge) {
    if (charge.pricing_unit) return null;
    const metric = choices.metrics.find(({ lago_id }) => lago_id === charge.metric_id);
    const filter = charge.filters.find(({ key }) => key === open.filter);
    const name = filter?.invoice_display_name || charge.invoice_display_name || metric?.name;
    return {
      name: name || charge.metric_code,
      isFixed: false,
      model: charge.charge_model,
      price: filter?.price ?? charge.price,
      kept: saved ? (filter ?? charge).kept : null,
      aggregation: metric?.aggregation_type ?? "sum_agg",
      currency,
      min_amount_cents:
        filter || charge.pay_in_advance ? 0 : (toCents(charge.min_amount || "0", currency) ?? 0),
      saved_min_amount_cents: filter
        ? 0
        : (saved?.charges.find(({ lago_id }) => lago_id === charge.id)?.min_amount_cents ?? 0),
    };
  }
  const fixed = draft.fixed_charges.find(({ key }) => key === open.key);
  if (!fixed) return null;
  const addOn = choices.addOns.find(({ lago_id }) => lago_id === fixed.add_on_id);
  return {
    name: fixed.invoice_display_name || addOn?.name || fixed.add_on_code,
    isFixed: true,
    model: fixed.charge_model,
    price: fixed.price,
    kept: saved ? fixed.kept : null,
    aggregation: "sum_agg",
    currency,
    min_amount_cents: 0,
    saved_min_amount_cents: 0,
  };
}

function useSave({
  saved,
  touched,
  requestsFor,
  checks,
  showFault,
  placeRefusal,
}: {
  saved: Plan | undefined;
  touched: Touched;
  requestsFor: (cascades: boolean) => Request[];
  checks: Checks;
  showFault: (place: string) => void;
  /** Shows what was refused where it stands; whether any of it stands somewhere. */
  placeRefusal: (refused: unknown) => boolean;
}) {
  const navigate = useNavigate();
  const [error, setError] = useState<unknown>(null);
  const [isDone, setDone] = useState(false);
  const [isAsking, setAsking] = useState(false);
  const finish = {
    isQuiet: true,
    done: saved ? "Plan saved" : "Plan created",
    touches: ["/api/v1/plans", "/api/v1/subscriptions"],
  };
  const create = useChange("post", "/api/v1/plans", finish);
  const update = useChange("put", "/api/v1/plans/{code}", finish);
  const grant = useChange("post", "/api/v1/plans/{code}/entitlements", {
    ...finish,
    done: requestsFor(false).length > 1 ? undefined : "Entitlements saved",
  });
  /** Save; where subscriptions have a price of their own, it is asked first whether they are to follow. */
  const run = async (cascades?: boolean) => {
    setError(null);
    const fault = checks.check();
    if (fault) {
      showFault(fault);
      setError(new ApiError(422, { status: 422, error: "some fields are not right yet, they are marked" }));
      return;
    }
    const requests = requestsFor(cascades ?? false);
    const changesPlan = requests.some(({ path }) => !path.endsWith("/entitlements"));
    if (saved && touched.followers > 0 && changesPlan && cascades === undefined) {
      setAsking(true);
      return;
    }
    let code = saved?.code ?? "";
    try {
      for (const { path, body } of requests) {
        if (path.endsWith("/entitlements")) {
          await grant.mutateAsync({ params: { path: { code } }, body } as never);
        } else if (saved) {
          const answer = await update.mutateAsync({ params: { path: { code } }, body } as never);
          code = answer.plan.code;
        } else {
          const answer = await create.mutateAsync({ body } as never);
          code = answer.plan.code;
        }
      }
      setDone(true);
      void navigate({ to: paths.plans.show(code), ignoreBlocker: true });
    } catch (fault) {
      setAsking(false);
      if (!saved && code) {
        // The plan is there, only its entitlements were refused: go on with it.
        notify.failed(explain(fault));
        void navigate({ to: paths.plans.update(code), ignoreBlocker: true });
        return;
      }
      setError(fault);
      if (placeRefusal(fault)) return;
      setTimeout(
        () => document.querySelector(".form-body .banner.bad")?.scrollIntoView({ block: "center" }),
        50,
      );
    }
  };
  return {
    run,
    error,
    isDone,
    isAsking,
    cancel: () => setAsking(false),
    isBusy: create.isPending || update.isPending || grant.isPending,
  };
}

/** Whether a change reaches the subscriptions with prices of their own (ui §2.2). */
function Cascade({
  followers,
  isOpen,
  isBusy,
  onClose,
  onChoose,
}: {
  followers: number;
  isOpen: boolean;
  isBusy: boolean;
  onClose: () => void;
  onChoose: (cascades: boolean) => void;
}) {
  const isOne = followers === 1;
  return (
    <Dialog
      title={
        isOne ? "Change the subscription with its own price too?" : "Change those with their own prices too?"
      }
      isOpen={isOpen}
      onClose={onClose}
      footer={
        <>
          <Button disabled={isBusy} onClick={onClose}>
            Go on editing
          </Button>
          <Button disabled={isBusy} onClick={() => onChoose(false)}>
            {isOne ? "Leave it" : "Leave them"}
          </Button>
          <Button look="primary" isBusy={isBusy} onClick={() => onChoose(true)}>
            {isOne ? "Change it too" : "Change them too"}
          </Button>
        </>
      }
    >
      <p>
        {countWords(followers, "subscription")} on this plan {isOne ? "has a price" : "have prices"} of{" "}
        {isOne ? "its" : "their"} own. {isOne ? "It follows" : "They follow"} a change where a price is the
        plan’s, and {isOne ? "keeps" : "keep"} what was agreed otherwise.
      </p>
    </Dialog>
  );
}

/** What a save changes, and whom. */
function Touches({
  changes,
  touched,
}: {
  /** Null for a plan that is new. */
  changes: number | null;
  touched: Touched;
}) {
  if (changes === null) return "Nobody is billed by it before it is assigned.";
  const own = touched.active - touched.overridden;
  return (
    <span className="touches">
      <span>
        <b className="med">{changes === 0 ? "No changes." : `${countWords(changes, "change")}.`}</b>{" "}
        {touched.active === 0
          ? "Nobody is subscribed."
          : `Applies to ${countWords(own, "subscription")} from what is billed next${
              touched.overridden > 0
                ? `; ${touched.overridden.toLocaleString()} ${touched.overridden === 1 ? "has its" : "have their"} own price`
                : ""
            }.`}
      </span>
    </span>
  );
}

/** The sections, and the usage charges below theirs. */
function Contents({
  draft,
  open,
  onOpen,
  choices,
  checks,
}: {
  draft: PlanDraft;
  open: Open;
  onOpen: (open: Open) => void;
  choices: Choices;
  checks: Checks;
}) {
  const entry = (id: string, label: string, count?: number) => (
    <a href={`#${id}`} onClick={(event) => jump(event, id)}>
      {label}
      {count ? <span className="n">{count}</span> : null}
    </a>
  );
  const jump = (event: { preventDefault: () => void }, id: string) => {
    event.preventDefault();
    document.getElementById(id)?.scrollIntoView({ behavior: "smooth", block: "start" });
  };
  const charge = (key: string, name: string, at: string): ReactNode => (
    <a
      href={`#charge-${key}`}
      key={key}
      className="deep"
      aria-current={open.key === key ? "true" : undefined}
      onClick={(event) => {
        event.preventDefault();
        onOpen({ key, filter: null });
        requestAnimationFrame(() =>
          document.getElementById(`charge-${key}`)?.scrollIntoView({ behavior: "smooth", block: "start" }),
        );
      }}
    >
      <span className="trunc">{name}</span>
      {checks.hasFaults(at) && <i className="chg" title="Something is not right yet" />}
    </a>
  );
  return (
    <>
      {entry("settings", "Settings")}
      {entry("fee", "Subscription fee")}
      {(choices.addOns.length > 0 || draft.fixed_charges.length > 0) &&
        entry("fixed", "Fixed charges", draft.fixed_charges.length)}
      {entry("charges", "Usage charges", draft.charges.length)}
      {draft.charges.map((one, index) =>
        charge(
          one.key,
          one.invoice_display_name ||
            choices.metrics.find(({ lago_id }) => lago_id === one.metric_id)?.name ||
            one.metric_code,
          `charges.${index}`,
        ),
      )}
      {entry("commitment", "Minimum commitment")}
      {entry("progressive", "Progressive billing", draft.thresholds.length)}
      {(choices.features.length > 0 || draft.entitlements.length > 0) &&
        entry("entitlements", "Entitlements", draft.entitlements.length)}
      {entry("taxes", "Taxes", draft.tax_codes.length)}
      {entry("metadata", "Metadata", draft.metadata.length)}
    </>
  );
}

function RequestDrawer({
  requests,
  isOpen,
  onClose,
}: {
  requests: Request[];
  isOpen: boolean;
  onClose: () => void;
}) {
  return (
    <Drawer title="As an API request" isOpen={isOpen} onClose={onClose} width={640}>
      {requests.length === 0 && <p className="dim">Nothing is changed, so nothing would be sent.</p>}
      {requests.map(({ method, path, body }) => (
        <section className="stack" key={path}>
          <h3 className="id">
            {method} {path}
          </h3>
          <Json value={body} label={`Body of ${method} ${path}`} />
        </section>
      ))}
    </Drawer>
  );
}
