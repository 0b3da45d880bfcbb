/** Full-screen forms: sections in one column, what they change in a sticky footer, the server's refusals at their fields. */
import { notifyManager, type Query, useQueryClient } from "@tanstack/react-query";
import { useBlocker } from "@tanstack/react-router";
import { X } from "lucide-react";
import {
  type FormEvent,
  type ReactNode,
  useCallback,
  useEffect,
  useState,
  useSyncExternalStore,
} from "react";
import type { FieldErrors, FieldPath, FieldValues, UseFormReturn } from "react-hook-form";
import { ApiError, explain, sentence } from "@/api/errors";
import { Banner, Button } from "./basics";
import { Confirm } from "./overlays";
import { IsBare } from "./states";

interface FormPageProps {
  title: ReactNode;
  /** What is being edited: a tag and an identifier beside the title. */
  subject?: ReactNode;
  /** The verb and the object: "Create plan". */
  submit: string;
  onSubmit: (event: FormEvent) => void;
  onCancel: () => void;
  isDirty: boolean;
  isBusy?: boolean;
  /** What the server refused that belongs to no field. */
  error?: unknown;
  /** What a save changes and whom it touches. */
  effect?: ReactNode;
  /** Sections at the left of the form. */
  sections?: ReactNode;
  /** Preview, calculator, difference: at the right of the form. */
  aside?: ReactNode;
  children: ReactNode;
}

export function FormPage(props: FormPageProps) {
  const {
    title,
    subject,
    submit,
    onSubmit,
    onCancel,
    isDirty,
    isBusy,
    error,
    effect,
    sections,
    aside,
    children,
  } = props;
  return (
    <IsBare value={false}>
      <form
        id="main"
        className={`form-page${sections ? " with-sections" : ""}${aside ? " with-aside" : ""}`}
        onSubmit={onSubmit}
        noValidate
      >
        <header className="form-top">
          <Button look="ghost" isIcon size="sm" aria-label="Close" onClick={onCancel}>
            <X className="i" aria-hidden="true" />
          </Button>
          <h1>{title}</h1>
          {subject}
        </header>
        {sections && (
          <nav className="form-sections" aria-label="Sections">
            {sections}
          </nav>
        )}
        <div className="form-body">
          {error !== undefined && error !== null && (
            <Banner look="bad">
              <p>{explain(error)}</p>
            </Banner>
          )}
          <Unread />
          {children}
        </div>
        {aside && <aside className="form-aside">{aside}</aside>}
        <footer className="form-foot">
          <span className="grow ink2">{effect}</span>
          <Button look="ghost" size="md" onClick={onCancel}>
            Cancel
          </Button>
          <Button look="primary" type="submit" isBusy={isBusy}>
            {submit}
          </Button>
        </footer>
        <LeaveGuard isDirty={isDirty && !isBusy} />
      </form>
    </IsBare>
  );
}

/** Asks whoever leaves what they have entered and not saved. */
export function LeaveGuard({ isDirty }: { isDirty: boolean }) {
  const blocker = useBlocker({
    // A dialog above the form is another address of the same page.
    shouldBlockFn: ({ current, next }) => isDirty && current.pathname !== next.pathname,
    enableBeforeUnload: () => isDirty,
    withResolver: true,
  });
  return (
    <Confirm
      title="Leave without saving?"
      verb="Discard changes"
      keep="Stay"
      isOpen={blocker.status === "blocked"}
      onClose={() => blocker.reset?.()}
      onConfirm={() => blocker.proceed?.()}
    >
      What you have entered here is lost.
    </Confirm>
  );
}

/** A form can be looked at without all that it reads, but what it offers is then not all that there is. */
function Unread() {
  const queries = useQueryClient();
  const cache = queries.getQueryCache();
  const subscribe = useCallback(
    (hear: () => void) => cache.subscribe(notifyManager.batchCalls(hear)),
    [cache],
  );
  const lost = { type: "active", predicate: isLost } as const;
  const isAnyLost = useSyncExternalStore(subscribe, () => cache.findAll(lost).length > 0);
  if (!isAnyLost) return null;
  return (
    <Banner
      look="bad"
      actions={
        <Button size="sm" onClick={() => void queries.refetchQueries(lost)}>
          Try again
        </Button>
      }
    >
      <p>Not everything that this form offers could be loaded.</p>
    </Banner>
  );
}

/** Whether a read failed, other than by what its reader may not see or what is not there. */
function isLost({ state: { status, data, error } }: Query): boolean {
  if (status !== "error" || data !== undefined) return false;
  return !(error instanceof ApiError && [403, 404, 422].includes(error.status));
}

/** A titled part of a form. */
export function FormSection({
  id,
  title,
  about,
  children,
}: {
  id?: string;
  title: ReactNode;
  about?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="form-section" id={id}>
      <h2>{title}</h2>
      {about && <p className="dim">{about}</p>}
      <div className="form-fields">{children}</div>
    </section>
  );
}

/** A field that few want: a link until somebody does, or it says something. */
export function Revealed({ verb, isOpen, children }: { verb: string; isOpen: boolean; children: ReactNode }) {
  const [isWanted, setWanted] = useState(false);
  const [wasOpen] = useState(isOpen);
  if (isOpen || wasOpen || isWanted) return <div ref={isWanted ? focusInside : undefined}>{children}</div>;
  return (
    <div>
      <button type="button" className="link small" onClick={() => setWanted(true)}>
        {verb}
      </button>
    </div>
  );
}

/** The keyboard goes on in the field that took the place of its link. */
function focusInside(shown: HTMLElement | null): void {
  if (shown && !shown.contains(document.activeElement)) shown.querySelector("textarea")?.focus();
}

/** Fields side by side; one below the other on phones. */
export function FieldRow({ children }: { children: ReactNode }) {
  return <div className="field-row">{children}</div>;
}

/**
 * Put what the server refused at the fields of a form, by their names on the wire; `names` maps those that differ.
 * Returns what belongs to no field, for the head of the form.
 */
export function placeErrors<Values extends FieldValues>(
  form: UseFormReturn<Values>,
  error: unknown,
  names: Record<string, FieldPath<Values>> = {},
): unknown {
  if (!(error instanceof ApiError)) return error;
  const known = Object.keys(form.getValues());
  let isPlaced = false;
  const rest: Record<string, string[]> = {};
  for (const [field, codes] of Object.entries(error.fields)) {
    const name =
      names[field] ?? (known.includes(field.split(".")[0]!) ? (field as FieldPath<Values>) : undefined);
    if (name) {
      form.setError(
        name,
        { type: "server", message: codes.map(sentence).join(" ") },
        { shouldFocus: !isPlaced },
      );
      isPlaced = true;
    } else rest[field] = codes;
  }
  if (Object.keys(rest).length === 0 && isPlaced) return undefined;
  return isPlaced ? new ApiError(error.status, { ...error.refusal, error_details: rest }) : error;
}

/** The message of a field of a form, however deep. */
export function messageOf<Values extends FieldValues>(
  errors: FieldErrors<Values>,
  path: string,
): string | undefined {
  let found: unknown = errors;
  for (const step of path.split(".")) found = (found as Record<string, unknown> | undefined)?.[step];
  const message = (found as { message?: unknown } | undefined)?.message;
  return typeof message === "string" ? message : undefined;
}

/** A code made of a name, until somebody writes one: "API requests" is api_requests. */
export function codeFrom(name: string): string {
  return name
    .normalize("NFKD")
    .replaceAll(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_")
    .replaceAll(/^_+|_+$/g, "");
}

/** Keeps a form's code derived from its name until the code is edited. */
export function useDerivedCode<Values extends FieldValues>(
  form: UseFormReturn<Values>,
  isNew: boolean,
  name = "name" as FieldPath<Values>,
  code = "code" as FieldPath<Values>,
): void {
  const typed = form.watch(name) as string;
  const isEdited = form.getFieldState(code, form.formState).isDirty;
  useEffect(() => {
    if (isNew && !isEdited) form.setValue(code, codeFrom(typed ?? "") as never, { shouldDirty: false });
  }, [form, isNew, isEdited, typed, code]);
}
