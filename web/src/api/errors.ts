/** What the server refuses, as platform §1.5 writes it. */

export interface Refusal {
  status: number;
  error?: string;
  code?: string;
  error_details?: Record<string, string[] | Record<string, string[]>>;
  /** Of what lies deeper than a field: "charges.1.properties". */
  error_places?: Record<string, string[]>;
  required_permissions?: string[];
}

export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    readonly refusal: Refusal,
  ) {
    super(refusal.code ?? refusal.error ?? `HTTP ${status}`);
  }

  get code(): string {
    return this.refusal.code ?? "";
  }

  /** What a payment provider or another system that was asked has said, where the refusal is theirs. */
  get outsider(): { name: string | undefined; said: string | undefined } | null {
    const told = this.refusal.error_details as Record<string, unknown> | undefined;
    const text = (name: string) => (typeof told?.[name] === "string" ? (told[name] as string) : undefined);
    if (this.code === "provider_error") return { name: undefined, said: text("message") };
    if (this.code !== "third_party_error") return null;
    return { name: text("third_party"), said: text("thirdparty_error") };
  }

  /** The codes of what is wrong, by the field of the body. */
  get fields(): Record<string, string[]> {
    if (this.outsider) return {};
    return Object.fromEntries(flatten(this.refusal.error_details ?? {}));
  }

  /** The codes of what is wrong in elements of lists and in objects of the body, by where it stands there. */
  get places(): Record<string, string[]> {
    return this.refusal.error_places ?? {};
  }

  /** The same refusal with these fields alone; null where there are none. */
  keeping(isKept: (field: string) => boolean): ApiError | null {
    const left = Object.entries(this.fields).filter(([field]) => isKept(field));
    if (left.length === 0) return null;
    return new ApiError(this.status, { ...this.refusal, error_details: Object.fromEntries(left) });
  }
}

function flatten(details: object, path = ""): [string, string[]][] {
  return Object.entries(details).flatMap(([name, codes]): [string, string[]][] => {
    const field = path ? `${path}.${name}` : name;
    if (Array.isArray(codes)) return [[field, codes.map(String)]];
    if (codes && typeof codes === "object") return flatten(codes, field);
    return [[field, [String(codes)]]];
  });
}

const SENTENCES: Record<string, string> = {
  value_already_exist: "This is taken already.",
  value_is_mandatory: "This is needed.",
  value_is_invalid: "This is not valid.",
  value_is_out_of_range: "This is out of range.",
  value_is_too_long: "This is too long.",
  invalid_email_format: "This is no e-mail address.",
  invalid_format: "This does not have the right form.",
  currencies_does_not_match: "The currencies differ.",
  customer_currency_is_locked: "The customer has been billed in another currency.",
  coupon_is_not_reusable: "The customer has had this coupon.",
  incorrect_login_or_password: "This address and password do not go together.",
  expired_jwt_token: "Your session is over. Sign in again.",
  too_many_attempts: "Too many tries. Wait a quarter of an hour.",
  login_method_not_authorized: "This organization does not let members sign in this way.",
  user_is_suspended: "This account is suspended. Whoever runs this installation can tell why.",
  signup_disabled: "Sign-up is closed.",
  domain_not_allowed: "Addresses of this domain may not sign up here.",
  organization_creation_disabled: "Nobody makes organizations of their own here.",
  user_does_not_exist: "There is no account with this address.",
  exceeded_limit: "That is one more than your organization may have.",
  user_already_exists: "There is an account with this address.",
  last_admin: "The organization needs an admin.",
  role_assigned_to_members: "Members have this role, or somebody is invited to it.",
  already_regenerated: "Another invoice was issued in its place already.",
  wallet_is_terminated: "The wallet has ended.",
  amount_below_minimum: "This is less than the wallet’s top-ups may be.",
  amount_above_maximum: "This is more than the wallet’s top-ups may be.",
  amount_rounds_to_zero: "This is worth less than the smallest amount of the currency.",
  no_linked_payment_provider: "The customer is linked to no payment provider.",
  missing_payment_provider: "The customer’s connection to a payment provider is gone.",
  missing_payment_provider_customer: "The customer is not known at the payment provider yet.",
  invalid_payment_provider: "This payment provider has no pages to pay on.",
  payment_provider_error: "The payment provider made no page.",
  payment_provider_not_found: "This payment provider is not connected.",
  payment_provider_code_missing: "Several accounts are connected: choose one.",
  payment_processor_is_currently_handling_payment: "The payment provider is at it already.",
  customer_must_have_payment_provider: "The customer has no payment provider.",
  manual_payment_method_invalid_for_payment_activation_rules:
    "Whoever pays by hand cannot be waited for: choose a payment method.",
  no_default_payment_method: "The customer has no default payment method.",
  payment_method_not_found: "The customer does not have this payment method any more.",
  invalid_payment_method: "The customer does not have this payment method.",
  no_payment_methods_to_setup_available: "None of what the customer may pay by is set up beforehand.",
  not_found: "This is not there any more.",
  forbidden: "Your role does not allow this.",
  feature_unavailable: "This is switched off on this server.",
};

const UNKNOWN = "It may have been done all the same: look before you try again.";

/** A code of the wire in words; codes without a sentence of their own are readable as they are. */
export function sentence(code: string): string {
  const known = SENTENCES[code] ?? SENTENCES[code.split(":")[0] ?? ""];
  if (known) return known;
  const words = code.replaceAll("_", " ").trim();
  return words ? `${words[0]?.toUpperCase()}${words.slice(1)}.` : "This is not valid.";
}

/** Why something could not be read, in one sentence. */
export function explainRead(error: unknown): string {
  if (!(error instanceof ApiError)) return "The server did not answer.";
  return error.status >= 500 ? "The server failed." : explain(error);
}

/** What went wrong in one sentence, for a toast or the head of a section. */
export function explain(error: unknown): string {
  // Whoever hears nothing, or hears it from a proxy in between, does not know what the server has done.
  if (!(error instanceof ApiError)) return `The server did not answer. ${UNKNOWN}`;
  if (error.status > 500) return `The server could not be reached. ${UNKNOWN}`;
  if (error.status === 500) return "The server failed. Nothing has been changed.";
  if (error.status === 403 && error.refusal.required_permissions?.length) {
    return `Your role does not allow this: it needs ${error.refusal.required_permissions.join(" or ")}.`;
  }
  if (error.status === 404) return SENTENCES.not_found!;
  if (error.outsider) {
    const { name = "the payment provider", said } = error.outsider;
    const who = name.charAt(0).toUpperCase() + name.slice(1);
    return said ? `${who} says: ${said}` : `${who} says no.`;
  }
  if (error.status === 429) return "Too many requests. Try again in a minute.";
  const fields = Object.entries(error.fields);
  if (fields.length > 0) {
    return fields
      .map(([field, codes]) => `${field.replaceAll("_", " ")}: ${codes.map(sentence).join(" ")}`)
      .join(" ");
  }
  return sentence(error.code || error.message);
}
