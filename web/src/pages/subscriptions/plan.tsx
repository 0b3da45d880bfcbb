/** What a subscription really costs: its plan's prices, and those of its own. */
import { useQuery } from "@tanstack/react-query";
import { Pencil } from "lucide-react";
import { useMemo, useState } from "react";
import { read, type Schema, useChange, WHOLE } from "@/api/client";
import { ApiError, explain } from "@/api/errors";
import { useCan } from "@/app/session";
import { percent, toCents, units } from "@/lib/money";
import { PlanLink, priceWords } from "@/pages/customers/subscription-table";
import { NEW_PLAN, type PlanDraft } from "@/pages/plans/draft";
import { type Checks, useFaults } from "@/pages/plans/faults";
import { FaultsContext } from "@/pages/plans/parts";
import { modelWord, priceLines } from "@/pages/plans/price";
import { filterWords, PriceList } from "@/pages/plans/price-list";
import { placesOfCharge } from "@/pages/plans/refusals";
import { changesOf, readCharge, readFixedCharge, writeCharge, writeFixedCharge } from "@/pages/plans/wire";
import { Money } from "@/ui/amounts";
import { Banner, Button, Facts, Section } from "@/ui/basics";
import { Switch } from "@/ui/fields";
import { useOpenedRow } from "@/ui/opened";
import { Drawer, FormButtons } from "@/ui/overlays";
import { Empty } from "@/ui/states";
import { Table } from "@/ui/table";
import { nameOfCharge, OwnCharge, OwnFixedCharge } from "./own-prices";
import type { TabProps } from "./page";
import { priceOf } from "./pricing";
import { type Detailed, inStatus, type Metric, useMetrics } from "./reads";

type Charge = Schema<"ChargeOutput">;
type FixedCharge = Schema<"FixedChargeOutput">;

export function Pricing({ subscription }: TabProps) {
  const can = useCan();
  const { plan } = subscription;
  const currency = plan.amount_currency;
  const metrics = useMetrics();
  const fixed = useFixedCharges(subscription);
  const [open, setOpen] = useOpenedRow("charge", plan.charges, (one) => one.lago_id);
  const [openFixed, setOpenFixed] = useOpenedRow("fixed-charge", fixed, (one) => one.lago_id);
  const mayChange = subscription.status === "active" && can("charges:update", "subscriptions:update");
  return (
    <div className="tab-body">
      <Section title="Plan">
        <Facts
          facts={[
            ["Plan", <PlanLink key="plan" code={subscription.plan_code} name={plan.name} />],
            [
              "Subscription fee",
              <span key="fee">
                <Money cents={plan.amount_cents} currency={currency} isZeroPlain />{" "}
                {priceWords(plan).split(",")[0]}, {plan.pay_in_advance ? "in advance" : "in arrears"}
              </span>,
            ],
            ["Trial", plan.trial_period ? `${plan.trial_period} days` : null],
            ["Prices", plan.parent_id ? "Overridden for this subscription" : "As in the plan"],
            ["Taxes", plan.taxes.map((tax) => `${tax.name}, ${percent(tax.rate)}`).join("; ")],
            [
              "Minimum commitment",
              plan.minimum_commitment && (
                <Money cents={plan.minimum_commitment.amount_cents} currency={currency} />
              ),
            ],
          ]}
        />
      </Section>
      <Section title="Usage charges" meta={plan.charges.length || undefined}>
        {plan.charges.length === 0 ? (
          <Empty title="The plan charges for no usage" />
        ) : (
          <Table
            label="Usage charges"
            isTall
            rows={plan.charges}
            keyOf={(one) => one.lago_id}
            onOpen={setOpen}
            columns={[
              {
                head: "Charge",
                fold: "f1",
                cell: (one) => (
                  <>
                    <b className="med">{one.invoice_display_name || one.billable_metric_code}</b>
                    <span className="sub id">{one.code}</span>
                  </>
                ),
              },
              {
                head: "Model",
                isLow: true,
                cell: (one) => <span className="ink2">{modelWord(one.charge_model)}</span>,
              },
              {
                head: "Price",
                fold: "f3",
                cell: (one) => priceOf(one.charge_model, one.properties, currency),
              },
              {
                head: "Billed",
                isLow: true,
                cell: (one) => (one.pay_in_advance ? "In advance" : "In arrears"),
              },
              {
                head: "",
                fold: "f4",
                cell: (one) => one.lago_parent_id && <span className="tag accent">Overridden</span>,
              },
            ]}
          />
        )}
      </Section>
      {plan.fixed_charges.length > 0 && (
        <Section title="Fixed charges" meta={plan.fixed_charges.length}>
          <Table
            label="Fixed charges"
            isTall
            rows={fixed}
            keyOf={(one) => one.lago_id}
            onOpen={setOpenFixed}
            columns={[
              {
                head: "Charge",
                fold: "f1",
                cell: (one) => (
                  <>
                    <b className="med">{one.invoice_display_name || one.add_on_code}</b>
                    <span className="sub id">{one.code}</span>
                  </>
                ),
              },
              {
                head: "Price",
                fold: "f3",
                cell: (one) => priceOf(one.charge_model, one.properties, currency),
              },
              {
                head: "Billed",
                isLow: true,
                cell: (one) => (one.pay_in_advance ? "In advance" : "In arrears"),
              },
              { head: "Units", isNumber: true, fold: "f2", cell: (one) => units(one.units) },
            ]}
          />
        </Section>
      )}
      {open && (
        <ChargeDrawer
          subscription={subscription}
          charge={open}
          metrics={metrics}
          mayChange={mayChange}
          onClose={() => setOpen(null)}
        />
      )}
      {openFixed && (
        <FixedChargeDrawer
          subscription={subscription}
          charge={openFixed}
          mayChange={mayChange}
          onClose={() => setOpenFixed(null)}
        />
      )}
    </div>
  );
}

/** The fixed charges of a subscription: units may be its own without a plan of its own. */
function useFixedCharges(subscription: Detailed): readonly FixedCharge[] | undefined {
  const own = useQuery({
    ...read("/api/v1/subscriptions/{external_id}/fixed_charges", {
      params: {
        path: { external_id: subscription.external_id },
        query: { ...inStatus(subscription), ...WHOLE },
      },
    }),
    enabled: subscription.plan.fixed_charges.length > 0,
  });
  return own.data?.fixed_charges;
}

/** Shows what the server refused of a charge at its fields. */
function showAt(checks: Checks, at: string) {
  return (refused: Error) => {
    if (refused instanceof ApiError) checks.refuse(placesOfCharge(refused, at));
  };
}

/** What of a refusal is no field's. */
function Refused({ error }: { error: Error | null }) {
  if (!error || (error instanceof ApiError && Object.keys(error.fields).length > 0)) return null;
  return <Banner look="bad">{explain(error)}</Banner>;
}

interface DrawerProps {
  subscription: Detailed;
  charge: Charge;
  metrics: readonly Metric[];
  mayChange: boolean;
  onClose: () => void;
}

/** A charge's prices, and others for this subscription alone. */
function ChargeDrawer({ subscription, charge, metrics, mayChange, onClose }: DrawerProps) {
  const currency = subscription.plan.amount_currency;
  const [isEditing, setEditing] = useState(false);
  const saved = useMemo(() => readCharge(charge, currency), [charge, currency]);
  const [draft, setDraft] = useState(saved);
  const plan = useMemo(() => ({ ...NOTHING, currency, charges: [draft] }), [draft, currency]);
  const checks = useFaults(plan);
  const cents = (typed: string) => toCents(typed || "0", currency) ?? 0;
  const changes = changesOf(writeCharge(saved, cents), writeCharge(draft, cents));
  const save = useChange("put", "/api/v1/subscriptions/{external_id}/charges/{code}", {
    done: "Price overridden",
    isQuiet: true,
    onDone: onClose,
  });
  const submit = () => {
    if (checks.check() !== undefined) return;
    const params = {
      path: { external_id: subscription.external_id, code: charge.code },
      query: inStatus(subscription),
    };
    save.mutate({ params, body: { charge: changes } } as never, { onError: showAt(checks, "charges.0") });
  };
  const name = nameOfCharge(draft, metrics);
  return (
    <Drawer
      title={name}
      isOpen
      isDirty={isEditing && Object.keys(changes).length > 0}
      onClose={onClose}
      footer={
        <OverrideFoot
          isEditing={isEditing}
          isDirty={Object.keys(changes).length > 0}
          isBusy={save.isPending}
          mayChange={mayChange && charge.charge_model !== "dynamic"}
          onEdit={setEditing}
          onSave={submit}
        />
      }
    >
      <Refused error={save.error} />
      {isEditing ? (
        <FaultsContext value={checks}>
          <div className="form-fields">
            <OnlyHere id={subscription.external_id} />
            <OwnCharge
              at="charges.0"
              charge={draft}
              metrics={metrics}
              currency={currency}
              change={(changed) => setDraft({ ...draft, ...changed })}
            />
          </div>
        </FaultsContext>
      ) : (
        <>
          <Facts
            facts={[
              ["Model", modelWord(charge.charge_model)],
              ["Billed", charge.pay_in_advance ? "In advance, event by event" : "At the end of the period"],
              ["Prorated", charge.prorated ? "By days" : "No"],
              [
                "At least",
                charge.min_amount_cents > 0 && <Money cents={charge.min_amount_cents} currency={currency} />,
              ],
              ["Taxes", charge.taxes.map((tax) => `${tax.name}, ${percent(tax.rate)}`).join("; ")],
            ]}
          />
          <PriceList
            title={charge.filters.length > 0 ? "All else" : "Price"}
            lines={priceLines(charge.charge_model, charge.properties, currency)}
          />
          {charge.filters.map((filter) => (
            <PriceList
              key={filter.lago_id}
              title={filter.invoice_display_name || filterWords(filter.values)}
              lines={priceLines(charge.charge_model, filter.properties, currency)}
            />
          ))}
        </>
      )}
    </Drawer>
  );
}

interface FixedDrawerProps {
  subscription: Detailed;
  charge: FixedCharge;
  mayChange: boolean;
  onClose: () => void;
}

/** A fixed charge's price and units, and others for this subscription alone. */
function FixedChargeDrawer({ subscription, charge, mayChange, onClose }: FixedDrawerProps) {
  const currency = subscription.plan.amount_currency;
  const [isEditing, setEditing] = useState(false);
  const [isNow, setNow] = useState(false);
  const saved = useMemo(() => readFixedCharge(charge), [charge]);
  const [draft, setDraft] = useState(saved);
  const plan = useMemo(() => ({ ...NOTHING, currency, fixed_charges: [draft] }), [draft, currency]);
  const checks = useFaults(plan);
  const changes = changesOf(writeFixedCharge(saved), writeFixedCharge(draft));
  const isDirty = Object.keys(changes).length > 0;
  const save = useChange("put", "/api/v1/subscriptions/{external_id}/fixed_charges/{code}", {
    done: "Fixed charge overridden",
    isQuiet: true,
    onDone: onClose,
  });
  const submit = () => {
    if (checks.check() !== undefined) return;
    const params = {
      path: { external_id: subscription.external_id, code: charge.code },
      query: inStatus(subscription),
    };
    const at = "units" in changes && isNow ? { apply_units_immediately: true } : {};
    save.mutate({ params, body: { fixed_charge: { ...changes, ...at } } } as never, {
      onError: showAt(checks, "fixed_charges.0"),
    });
  };
  return (
    <Drawer
      title={charge.invoice_display_name || charge.add_on_code}
      isOpen
      isDirty={isEditing && isDirty}
      onClose={onClose}
      footer={
        <OverrideFoot
          isEditing={isEditing}
          isDirty={isDirty}
          isBusy={save.isPending}
          mayChange={mayChange}
          onEdit={setEditing}
          onSave={submit}
        />
      }
    >
      <Refused error={save.error} />
      {isEditing ? (
        <FaultsContext value={checks}>
          <div className="form-fields">
            {Object.keys(changes).some((one) => one !== "units") && (
              <OnlyHere id={subscription.external_id} />
            )}
            <OwnFixedCharge
              at="fixed_charges.0"
              charge={draft}
              currency={currency}
              change={(changed) => setDraft({ ...draft, ...changed })}
            />
            <Switch
              label="Change units in the running period"
              hint="Otherwise from the next period on."
              isOn={isNow}
              onChange={setNow}
            />
          </div>
        </FaultsContext>
      ) : (
        <>
          <Facts
            facts={[
              ["Model", modelWord(charge.charge_model)],
              ["Units", units(charge.units)],
              ["Billed", charge.pay_in_advance ? "As the period begins" : "At the end of the period"],
              ["Prorated", charge.prorated ? "By days" : "No"],
              ["Taxes", charge.taxes.map((tax) => `${tax.name}, ${percent(tax.rate)}`).join("; ")],
            ]}
          />
          <PriceList title="Price" lines={priceLines(charge.charge_model, charge.properties, currency)} />
        </>
      )}
    </Drawer>
  );
}

/** A plan whose own terms are right: what is wrong is of the one charge that is put into it. */
const NOTHING: PlanDraft = { ...NEW_PLAN, name: "-", code: "-", amount: "0" };

function OnlyHere({ id }: { id: string }) {
  return <p className="ink2">Only {id} has these prices; changes of the plan do not reach them any more.</p>;
}

interface OverrideFootProps {
  isEditing: boolean;
  isDirty: boolean;
  isBusy: boolean;
  mayChange: boolean;
  onEdit: (isEditing: boolean) => void;
  onSave: () => void;
}

function OverrideFoot({ isEditing, isDirty, isBusy, mayChange, onEdit, onSave }: OverrideFootProps) {
  if (isEditing)
    return (
      <FormButtons onCancel={() => onEdit(false)} isBusy={isBusy} onSave={onSave} isDisabled={!isDirty}>
        Override price
      </FormButtons>
    );
  if (!mayChange) return null;
  return (
    <Button onClick={() => onEdit(true)}>
      <Pencil className="i" aria-hidden="true" />
      Override price
    </Button>
  );
}
