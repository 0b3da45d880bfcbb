import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Plus, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { read, type Schema, useChange, WHOLE } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan, useOrganization } from "@/app/session";
import { currencies } from "@/lib/choices";
import { money, percent, toCents, toDecimal } from "@/lib/money";
import { nameOf } from "@/pages/customers/list";
import { Button } from "@/ui/basics";
import {
  Checkbox,
  DateInput,
  Field,
  MoneyInput,
  NumberInput,
  Select,
  TextArea,
  TextInput,
} from "@/ui/fields";
import { FieldRow, FormPage, FormSection } from "@/ui/form";
import { Picker } from "@/ui/picker";
import { amountOf, decimalOf, taxesOf } from "./amounts";
import { COLLECTED, CollectionSection, writeCollection } from "./collection-section";
import { type Faults, faultsOf } from "./faults";
import "./invoices.css";
import { TOUCHED } from "./model";

type Customer = Schema<"ListedCustomerOutput">;
type AddOn = Schema<"AddOnOutput">;
type Tax = Schema<"TaxOutput">;

interface Item {
  /** For React: rows come and go. */
  row: number;
  addOn: AddOn | null;
  name: string;
  description: string;
  units: string;
  price: string;
  from: string;
  to: string;
  /** Codes; null leaves them to the add-on, the customer, the organization. */
  taxes: string[] | null;
}

const blank = (row: number): Item => ({
  row,
  addOn: null,
  name: "",
  description: "",
  units: "1",
  price: "",
  from: "",
  to: "",
  taxes: null,
});

/** What is no code: a list of choices needs a value. */
const OF_CUSTOMER = " ";

/** A one-off invoice: add-ons, billed at once. */
export function CreateInvoice() {
  const can = useCan();
  const navigate = useNavigate();
  const { customer: asked } = useSearch({ strict: false }) as { customer?: string };
  const [term, setTerm] = useState("");
  const [chosen, setChosen] = useState<Customer | null>(null);
  const [addOnTerm, setAddOnTerm] = useState("");
  const { default_currency } = useOrganization();
  const [picked, setPicked] = useState("");
  const [entity, setEntity] = useState("");
  const [order, setOrder] = useState("");
  const [sections, setSections] = useState<string[]>([]);
  const [collection, setCollection] = useState(COLLECTED);
  const [items, setItems] = useState<Item[]>([blank(0)]);
  const [error, setError] = useState<unknown>(null);
  const [faults, setFaults] = useState<Faults>({});

  const customers = useQuery(
    read("/api/v1/customers", {
      params: { query: { per_page: 20, ...(term ? { search_term: term } : {}) } as never },
    }),
  );
  const own = useQuery({
    ...read("/api/v1/customers/{external_id}", { params: { path: { external_id: asked ?? "" } } }),
    enabled: asked !== undefined,
  });
  const addOns = useQuery(
    read("/api/v1/add_ons", {
      params: { query: { per_page: 50, ...(addOnTerm ? { search_term: addOnTerm } : {}) } as never },
    }),
  );
  const taxes = useQuery(read("/api/v1/taxes", { params: { query: WHOLE } }));
  const entities = useQuery({ ...read("/api/v1/billing_entities"), enabled: can("billing_entities:view") });
  const custom = useQuery({
    ...read("/api/v1/invoice_custom_sections", { params: { query: WHOLE } }),
    enabled: can("invoice_custom_sections:view"),
  });

  const customer = chosen ?? (own.data?.customer as Customer | undefined) ?? null;
  const currency =
    customer?.currency ??
    (picked || (items.find((item) => item.addOn)?.addOn?.amount_currency ?? default_currency));
  const known = taxes.data?.taxes ?? [];
  const lines = items.map((item) => lineOf(item, currency));
  const subtotal = lines.reduce((total, line) => total + line.cents, 0n);
  const tax = taxesOf(
    items.map((item, index) => ({
      cents: lines[index]!.cents,
      rates: taxesFor(item, customer, known).map((one) => one.rate),
    })),
  );
  const edit = (row: number, change: Partial<Item>) => {
    setItems(items.map((item) => (item.row === row ? { ...item, ...change } : item)));
    setFaults({});
  };
  const back = () =>
    navigate({ to: asked ? paths.customers.show(asked, "invoices") : paths.invoices.list() });
  const save = useChange("post", "/api/v1/invoices", {
    done: ({ invoice }) => `Invoice ${invoice.number} issued`,
    touches: TOUCHED,
    isSlow: true,
    isQuiet: true,
    onDone: ({ invoice }) =>
      void navigate({ to: paths.invoices.show(invoice.customer.external_id, invoice.lago_id) }),
  });

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const found = faultsIn(customer, items, lines);
    setFaults(found);
    setError(null);
    if (!customer || Object.keys(found).length > 0) return;
    try {
      await save.mutateAsync({
        body: {
          invoice: {
            external_customer_id: customer.external_id,
            currency,
            fees: items.map(asFee),
            ...(entity && { billing_entity_code: entity }),
            ...(order.trim() && { purchase_order_number: order.trim() }),
            ...writeCollection(collection),
            ...(sections.length > 0 && {
              invoice_custom_section: { invoice_custom_section_codes: sections },
            }),
          },
        },
      });
    } catch (refused) {
      const { faults: placed, rest } = faultsOf(refused);
      setFaults(placed);
      setError(rest);
    }
  }

  const isDirty = chosen !== null || order !== "" || items.some((item) => item.addOn);
  const offered = (addOns.data?.add_ons ?? []).filter((one) => one.amount_currency === currency || !customer);
  return (
    <FormPage
      title="New one-off invoice"
      submit="Issue invoice"
      onSubmit={(event) => void submit(event)}
      onCancel={() => void back()}
      isDirty={isDirty && !save.isSuccess}
      isBusy={save.isPending}
      error={error}
      effect={customer ? `Issued to ${nameOf(customer)} at once; it can be voided, not changed.` : ""}
      aside={<Preview items={items} lines={lines} currency={currency} subtotal={subtotal} tax={tax} />}
    >
      <FormSection title="Customer">
        <Field label="Customer" error={faults.customer}>
          <Picker
            label="Customer"
            value={customer?.external_id ?? ""}
            {...(customer && { shown: nameOf(customer) })}
            onSearch={setTerm}
            isLoading={customers.isPending}
            read={customers}
            choices={(customers.data?.customers ?? []).map((one) => ({
              value: one.external_id,
              label: nameOf(one),
              detail: one.external_id,
            }))}
            onChange={(value) => {
              setChosen(customers.data?.customers.find((one) => one.external_id === value) ?? null);
              setCollection(COLLECTED);
              setFaults({});
            }}
          />
        </Field>
        <FieldRow>
          {(entities.data?.billing_entities.length ?? 0) > 1 && (
            <Field label="Billed by" error={faults.entity}>
              <Select
                value={entity || OF_CUSTOMER}
                options={[
                  { value: OF_CUSTOMER, label: "The customer’s" },
                  ...(entities.data?.billing_entities ?? []).map((one) => ({
                    value: one.code,
                    label: one.name,
                  })),
                ]}
                onChange={(code) => setEntity(code === OF_CUSTOMER ? "" : code)}
              />
            </Field>
          )}
          {customer && !customer.currency && (
            <Field label="Currency" hint="The customer’s from now on." error={faults.currency}>
              <Picker
                label="Currency"
                value={currency}
                choices={currencies()}
                onChange={(code) => {
                  setPicked(code);
                  // What was chosen so far is sold in another currency.
                  setItems(
                    items.map((item) => (item.addOn?.amount_currency === code ? item : blank(item.row))),
                  );
                  setFaults({});
                }}
              />
            </Field>
          )}
          <Field label="PO number" isOptional error={faults.order}>
            <TextInput value={order} onChange={(event) => setOrder(event.target.value)} />
          </Field>
        </FieldRow>
      </FormSection>
      <FormSection title="Items" about={`In ${currency}, from add-ons.`}>
        {items.map((item, index) => (
          <ItemCard
            key={item.row}
            item={item}
            index={index}
            currency={currency}
            addOns={offered}
            taxes={known}
            inherited={taxesFor({ ...item, taxes: null }, customer, known)}
            isLoading={addOns.isPending}
            onSearch={setAddOnTerm}
            onChange={(change) => edit(item.row, change)}
            faultAt={(field) => faults[`${index}.${field}`]}
            {...(items.length > 1 && {
              onRemove: () => {
                setItems(items.filter((one) => one.row !== item.row));
                setFaults({});
              },
            })}
          />
        ))}
        <div>
          <Button
            size="sm"
            onClick={() => setItems([...items, blank(Math.max(...items.map((item) => item.row)) + 1)])}
          >
            <Plus className="i" aria-hidden="true" />
            Add item
          </Button>
        </div>
      </FormSection>
      {customer && (
        <CollectionSection
          customer={customer}
          choice={collection}
          onChange={setCollection}
          error={faults.payment}
        />
      )}
      {(custom.data?.invoice_custom_sections.length ?? 0) > 0 && (
        <FormSection
          title="Custom sections"
          about="Chosen ones stand on the invoice in place of the customer’s."
        >
          {custom.data!.invoice_custom_sections.map((section) => (
            <Checkbox
              key={section.code}
              label={section.name}
              isOn={sections.includes(section.code)}
              onChange={(isOn) =>
                setSections(
                  isOn ? [...sections, section.code] : sections.filter((one) => one !== section.code),
                )
              }
            />
          ))}
        </FormSection>
      )}
    </FormPage>
  );
}

interface Line {
  cents: bigint;
  units?: string;
  price?: string;
}

function lineOf(item: Item, currency: string): Line {
  const count = decimalOf(item.units) === null ? "This is no number." : undefined;
  const cents = toCents(item.price, currency);
  const each =
    item.price.trim() && (cents === null || cents < 0) ? `This is no amount of ${currency}.` : undefined;
  const isWhole = !count && !each && cents !== null;
  return {
    cents: isWhole ? amountOf(decimalOf(item.units)!, toDecimal(cents, currency), currency) : 0n,
    ...(item.units.trim() && count && { units: count }),
    ...(each && { price: each }),
  };
}

/** What has to be said before the server is asked. */
function faultsIn(customer: Customer | null, items: readonly Item[], lines: readonly Line[]): Faults {
  const faults: Faults = customer ? {} : { customer: "Choose a customer." };
  for (const [index, item] of items.entries()) {
    const { units, price } = lines[index]!;
    if (!item.addOn) faults[`${index}.addOn`] = "Choose an add-on.";
    if (units || decimalOf(item.units) === null) faults[`${index}.units`] = units ?? "This is needed.";
    if (price) faults[`${index}.price`] = price;
    if (Boolean(item.from) !== Boolean(item.to)) faults[`${index}.period`] = "A period has two ends.";
  }
  return faults;
}

/** The taxes of an item: its own, else the add-on's, the customer's, the organization's (invoicing §5). */
function taxesFor(item: Item, customer: Customer | null, known: readonly Tax[]): readonly Tax[] {
  if (item.taxes !== null) return known.filter((tax) => item.taxes!.includes(tax.code));
  if (item.addOn && item.addOn.taxes.length > 0) return item.addOn.taxes;
  if (customer?.taxes && customer.taxes.length > 0) return customer.taxes;
  return known.filter((tax) => tax.applied_to_organization);
}

function asFee(item: Item): Schema<"OneOffFeeInput"> {
  const cents = item.addOn && toCents(item.price, item.addOn.amount_currency);
  return {
    add_on_code: item.addOn!.code,
    units: decimalOf(item.units)!,
    ...(cents !== null && { unit_amount_cents: cents }),
    ...(item.name.trim() && { invoice_display_name: item.name.trim() }),
    ...(item.description.trim() && { description: item.description.trim() }),
    ...(item.from && item.to && { from_datetime: item.from, to_datetime: item.to }),
    ...(item.taxes !== null && { tax_codes: item.taxes }),
  };
}

interface ItemCardProps {
  item: Item;
  index: number;
  currency: string;
  addOns: readonly AddOn[];
  taxes: readonly Tax[];
  inherited: readonly Tax[];
  isLoading: boolean;
  onSearch: (term: string) => void;
  onChange: (change: Partial<Item>) => void;
  /** What is wrong with a field of the item. */
  faultAt: (field: string) => string | undefined;
  onRemove?: () => void;
}

function ItemCard(props: ItemCardProps) {
  const { item, index, currency, addOns, taxes, inherited, isLoading } = props;
  const { onSearch, onChange, faultAt, onRemove } = props;
  const [isOpen, setOpen] = useState(false);
  // What is wrong is seen, be it folded away.
  const isMore = isOpen || ["name", "description", "period", "taxes"].some(faultAt);
  const line = lineOf(item, currency);
  return (
    <div className="item-card" role="group" aria-label={`Item ${index + 1}`}>
      <div className="item-row">
        <Field label="Add-on" error={faultAt("addOn")}>
          <Picker
            label="Add-on"
            value={item.addOn?.code ?? ""}
            {...(item.addOn && { shown: item.addOn.name })}
            isLoading={isLoading}
            onSearch={onSearch}
            choices={addOns.map((one) => ({
              value: one.code,
              label: one.name,
              detail: money(one.amount_cents, one.amount_currency),
            }))}
            onChange={(code) => {
              const found = addOns.find((one) => one.code === code) ?? null;
              onChange({
                addOn: found,
                price: found ? toDecimal(found.amount_cents, found.amount_currency) : "",
              });
            }}
          />
        </Field>
        <Field label="Units" error={line.units ?? faultAt("units")}>
          <NumberInput value={item.units} onChange={(event) => onChange({ units: event.target.value })} />
        </Field>
        <Field label="Unit price" error={line.price ?? faultAt("price")}>
          <MoneyInput
            currency={currency}
            value={item.price}
            onChange={(event) => onChange({ price: event.target.value })}
          />
        </Field>
        {onRemove && (
          <Button look="ghost" isIcon aria-label={`Remove item ${index + 1}`} onClick={onRemove}>
            <Trash2 className="i" aria-hidden="true" />
          </Button>
        )}
      </div>
      {isMore ? (
        <>
          <Field label="Name on the invoice" isOptional error={faultAt("name")}>
            <TextInput
              placeholder={item.addOn?.invoice_display_name ?? item.addOn?.name ?? ""}
              value={item.name}
              onChange={(event) => onChange({ name: event.target.value })}
            />
          </Field>
          <Field label="Description" isOptional error={faultAt("description")}>
            <TextArea
              rows={2}
              value={item.description}
              onChange={(event) => onChange({ description: event.target.value })}
            />
          </Field>
          <FieldRow>
            <Field label="Period from" isOptional error={faultAt("period")}>
              <DateInput value={item.from} onChange={(event) => onChange({ from: event.target.value })} />
            </Field>
            <Field label="Period to" isOptional>
              <DateInput value={item.to} onChange={(event) => onChange({ to: event.target.value })} />
            </Field>
          </FieldRow>
          <div className="stack">
            <Checkbox
              label="Taxes of its own"
              hint={
                item.taxes === null
                  ? inherited.map((tax) => `${tax.name}, ${percent(tax.rate)}`).join("; ") ||
                    "No tax applies."
                  : "Chosen below."
              }
              isOn={item.taxes !== null}
              onChange={(isOn) => onChange({ taxes: isOn ? inherited.map((tax) => tax.code) : null })}
            />
            {faultAt("taxes") && (
              <span className="err" role="alert">
                {faultAt("taxes")}
              </span>
            )}
            {item.taxes !== null &&
              taxes.map((tax) => (
                <Checkbox
                  key={tax.code}
                  label={`${tax.name}, ${percent(tax.rate)}`}
                  isOn={item.taxes!.includes(tax.code)}
                  onChange={(isOn) =>
                    onChange({
                      taxes: isOn
                        ? [...item.taxes!, tax.code]
                        : item.taxes!.filter((code) => code !== tax.code),
                    })
                  }
                />
              ))}
          </div>
        </>
      ) : (
        <div>
          <button type="button" className="link small" onClick={() => setOpen(true)}>
            Name, description, period, taxes
          </button>
        </div>
      )}
    </div>
  );
}

interface PreviewProps {
  items: readonly Item[];
  lines: readonly Line[];
  currency: string;
  subtotal: bigint;
  tax: bigint;
}

function Preview({ items, lines, currency, subtotal, tax }: PreviewProps) {
  return (
    <>
      <h3>Invoice</h3>
      <dl className="estimate">
        {items.map((item, index) => (
          <PreviewLine
            key={item.row}
            name={item.name || item.addOn?.name || `Item ${index + 1}`}
            amount={money(lines[index]!.cents, currency)}
          />
        ))}
        <dt className="t">Subtotal</dt>
        <dd className="t">{money(subtotal, currency)}</dd>
        <dt>Tax</dt>
        <dd>{money(tax, currency)}</dd>
        <dt className="t">Total</dt>
        <dd className="t">{money(subtotal + tax, currency)}</dd>
      </dl>
      <p className="hint">
        Coupons, credit notes and prepaid credits of the customer stay: a one-off invoice uses none of them.
      </p>
    </>
  );
}

function PreviewLine({ name, amount }: { name: string; amount: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{amount}</dd>
    </>
  );
}
