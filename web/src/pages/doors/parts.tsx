/** The fields and forms of the doors. */
import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { explain } from "@/api/errors";
import { doors } from "@/app/paths";
import { Banner, Button } from "@/ui/basics";
import { Field, TextInput } from "@/ui/fields";
import { Door } from "./door";

export const toSignIn = (
  <Link className="link" to={doors.signIn()}>
    Sign in
  </Link>
);

interface DoorFormProps {
  /** What the server refused. */
  error: unknown;
  /** The verb on the button. */
  verb: string;
  isBusy: boolean;
  /** Whether it may be sent. */
  isReady?: boolean;
  onSubmit: () => void;
  children: ReactNode;
  /** Below the button. */
  after?: ReactNode;
}

export function DoorForm({ error, verb, isBusy, isReady = true, onSubmit, children, after }: DoorFormProps) {
  return (
    <form
      className="stack door-form"
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      <Refused error={error} />
      {children}
      <Button look="primary" type="submit" isBusy={isBusy} disabled={!isReady}>
        {verb}
      </Button>
      {after}
    </form>
  );
}

export function Refused({ error }: { error: unknown }) {
  if (!error) return null;
  return (
    <Banner look="bad">
      <p>{explain(error)}</p>
    </Banner>
  );
}

interface TextFieldProps {
  value: string;
  onChange: (value: string) => void;
  label?: string;
  hint?: string;
}

/** The address that somebody signs in with. */
export function EmailField({
  value,
  onChange,
  label = "E-mail",
  isFirst,
}: TextFieldProps & { isFirst?: boolean }) {
  return (
    <Field label={label}>
      <TextInput
        type="email"
        autoComplete="username"
        required
        autoFocus={isFirst}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </Field>
  );
}

/** A password that is there already. */
export function PasswordField({ value, onChange, label = "Password", hint }: TextFieldProps) {
  return (
    <Field label={label} hint={hint}>
      <TextInput
        type="password"
        autoComplete="current-password"
        required
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </Field>
  );
}

const RULES: [rule: string, test: RegExp][] = [
  ["8 characters or more", /.{8}/],
  ["a small letter", /\p{Ll}/u],
  ["a capital letter", /\p{Lu}/u],
  ["a digit", /\d/],
  ["a special character", /[^\p{L}\d]/u],
];

/** A new password, with what it should have ticked off as one types (ui §7). */
export function NewPassword({ value, onChange, label = "Password" }: TextFieldProps) {
  return (
    <>
      <Field label={label}>
        <TextInput
          type="password"
          autoComplete="new-password"
          required
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      </Field>
      <ul className="rules small" aria-label="What a password needs">
        {RULES.map(([rule, test]) => (
          <li key={rule} data-met={test.test(value) || undefined}>
            {rule}
            <span className="sr">{test.test(value) ? ", met" : ", missing"}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

export function isStrong(password: string): boolean {
  return RULES.every(([, test]) => test.test(password));
}

interface MailDoorProps {
  title: string;
  about: string;
  ask: {
    mutate: (asked: { body: { email: string } }) => void;
    isPending: boolean;
    isSuccess: boolean;
    error: unknown;
  };
  /** What is said once the link is on its way to an address. */
  sent: (email: string) => ReactNode;
  /** Below that: another way, where there is one. */
  after?: ReactNode;
  foot: ReactNode;
  others?: ReactNode;
}

/** Asks for an address to which a link is sent. */
export function MailDoor({ title, about, ask, sent, after, foot, others }: MailDoorProps) {
  const [email, setEmail] = useState("");
  if (ask.isSuccess) {
    return (
      <Door title="Check your mail" about={sent(email.trim())} foot={toSignIn}>
        {after}
      </Door>
    );
  }
  return (
    <Door title={title} about={about} foot={foot}>
      <DoorForm
        error={ask.error}
        verb="Send the link"
        isBusy={ask.isPending}
        onSubmit={() => ask.mutate({ body: { email: email.trim() } })}
      >
        <EmailField value={email} onChange={setEmail} isFirst />
      </DoorForm>
      {others}
    </Door>
  );
}

/** The door of a link that was used, or whose time is up; `again` is where another one is asked for. */
export function LinkOver({ again }: { again: string }) {
  return (
    <Door
      title="This link is over"
      about="It was used, or its time is up."
      foot={
        <Link className="link" to={again}>
          Send another one
        </Link>
      }
    />
  );
}

/** Does something once when the page opens: what it uses up is good for one try, and effects run twice while developing. */
export function useOnce(act: () => void, isWanted = true): void {
  const isDone = useRef(false);
  useEffect(() => {
    if (isDone.current || !isWanted) return;
    isDone.current = true;
    act();
  });
}

/** What is typed at a door: an address and a password, the address without the space around it. */
export function useCredentials() {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  return {
    email: { value: email, onChange: setEmail },
    password: { value: password, onChange: setPassword },
    typed: { email: email.trim(), password },
  };
}
