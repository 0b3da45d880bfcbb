/** The form of a customer, and how it is read from and written to the wire. */
import type { Schema } from "@/api/client";
import type { Customer } from "./customer";
import { type LinkForm, readLink, UNLINKED, writeLink } from "./link";

export interface AddressForm {
  address_line1: string;
  address_line2: string;
  zipcode: string;
  city: string;
  state: string;
  country: string;
}

export interface CustomerForm extends AddressForm, LinkForm {
  external_id: string;
  account_type: string;
  customer_type: string;
  name: string;
  firstname: string;
  lastname: string;
  timezone: string;
  external_salesforce_id: string;
  billing_entity_code: string;
  currency: string;
  legal_name: string;
  legal_number: string;
  tax_identification_number: string;
  emails: string[];
  url: string;
  phone: string;
  shipping_address: AddressForm;
  tax_codes: string[];
  metadata: { id: string; key: string; value: string; display_in_invoice: boolean }[];
}

export const NO_ADDRESS: AddressForm = {
  address_line1: "",
  address_line2: "",
  zipcode: "",
  city: "",
  state: "",
  country: "",
};

export const NEW_CUSTOMER: CustomerForm = {
  ...NO_ADDRESS,
  ...UNLINKED,
  external_id: "",
  account_type: "customer",
  customer_type: "",
  name: "",
  firstname: "",
  lastname: "",
  timezone: "",
  external_salesforce_id: "",
  billing_entity_code: "",
  currency: "",
  legal_name: "",
  legal_number: "",
  tax_identification_number: "",
  emails: [],
  url: "",
  phone: "",
  shipping_address: NO_ADDRESS,
  tax_codes: [],
  metadata: [],
};

const ADDRESS_FIELDS = Object.keys(NO_ADDRESS) as (keyof AddressForm)[];
const TEXTS = [
  ...ADDRESS_FIELDS,
  "customer_type",
  "name",
  "firstname",
  "lastname",
  "timezone",
  "external_salesforce_id",
  "currency",
  "legal_name",
  "legal_number",
  "tax_identification_number",
  "url",
  "phone",
] as const;

export function readCustomer(customer: Customer): CustomerForm {
  const texts = Object.fromEntries(TEXTS.map((name) => [name, customer[name] ?? ""]));
  return {
    ...NEW_CUSTOMER,
    ...texts,
    ...readLink(customer.billing_configuration),
    external_id: customer.external_id,
    account_type: customer.account_type,
    billing_entity_code: customer.billing_entity_code,
    emails: customer.email ? customer.email.split(",").map((one) => one.trim()) : [],
    shipping_address: readAddress(customer.shipping_address),
    tax_codes: customer.taxes.map((tax) => tax.code),
    metadata: customer.metadata.map(({ lago_id, key, value, display_in_invoice }) => ({
      id: lago_id,
      key,
      value,
      display_in_invoice,
    })),
  };
}

function readAddress(address: Schema<"AddressOutput">): AddressForm {
  return Object.fromEntries(
    ADDRESS_FIELDS.map((name) => [name, address[name] ?? ""]),
  ) as unknown as AddressForm;
}

/** Only what differs from what was read, so that a form sent unchanged changes nothing (ui §12). */
export function writeCustomer(
  form: CustomerForm,
  before: CustomerForm = NEW_CUSTOMER,
): Schema<"CustomerFields"> {
  const isNew = before === NEW_CUSTOMER;
  const changed = <Key extends keyof CustomerForm>(key: Key) =>
    JSON.stringify(form[key]) !== JSON.stringify(before[key]);
  const texts = TEXTS.filter(changed).map((name) => [name, nothing(form[name])]);
  const link = writeLink(form, before);
  return {
    external_id: form.external_id.trim(),
    ...Object.fromEntries(texts),
    ...(changed("account_type") && { account_type: form.account_type }),
    ...(changed("billing_entity_code") &&
      form.billing_entity_code && { billing_entity_code: form.billing_entity_code }),
    ...(changed("emails") && { email: nothing(form.emails.join(",")) }),
    ...(changed("shipping_address") && {
      shipping_address: Object.fromEntries(
        ADDRESS_FIELDS.map((name) => [name, nothing(form.shipping_address[name])]),
      ),
    }),
    ...(link && { billing_configuration: link }),
    ...(changed("tax_codes") && { tax_codes: form.tax_codes }),
    ...(changed("metadata") && {
      metadata: form.metadata
        .filter((one) => one.key.trim())
        .map(({ id, key, value, display_in_invoice }) => ({
          ...(id && !isNew && { id }),
          key: key.trim(),
          value,
          display_in_invoice,
        })),
    }),
  };
}

function nothing(text: string): string | null {
  return text.trim() || null;
}
