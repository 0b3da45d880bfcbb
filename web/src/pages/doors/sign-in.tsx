import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { client, read, useChange } from "@/api/client";
import { ApiError, explain, type Refusal } from "@/api/errors";
import { doors } from "@/app/paths";
import { Banner, Button } from "@/ui/basics";
import { Field, TextInput } from "@/ui/fields";
import { Door } from "./door";
import { useEntering } from "./entering";

type Provider = "google_oauth" | "okta" | "entra_id" | "oidc";

const PROVIDERS: [method: Provider, label: string][] = [
  ["okta", "Okta"],
  ["entra_id", "Microsoft Entra ID"],
  ["oidc", "another provider"],
];

export function SignIn() {
  const { back } = useSearch({ strict: false }) as { back?: string };
  const enter = useEntering();
  const configuration = useQuery(read("/app/v1/configuration")).data?.configuration;
  const logIn = useChange("post", "/app/v1/session", {
    isQuiet: true,
    touches: [],
    onDone: (answer) => void enter(answer, back),
  });
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [provider, setProvider] = useState<Provider | null>(null);

  if (provider) return <ProviderDoor method={provider} back={back} onLeave={() => setProvider(null)} />;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    logIn.mutate({ body: { email: email.trim(), password } });
  };
  return (
    <Door
      title="Sign in"
      foot={
        configuration?.is_sign_up_open && (
          <>
            New here?{" "}
            <Link className="link" to={doors.signUp()}>
              Make an organization
            </Link>
          </>
        )
      }
    >
      <form className="stack door-form" onSubmit={submit}>
        {logIn.error && (
          <Banner look="bad">
            <p>{explain(logIn.error)}</p>
          </Banner>
        )}
        <Field label="E-mail">
          <TextInput
            type="email"
            autoComplete="username"
            required
            autoFocus
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
        </Field>
        <Field label="Password">
          <TextInput
            type="password"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </Field>
        <Button look="primary" type="submit" isBusy={logIn.isPending}>
          Sign in
        </Button>
        {configuration?.sends_emails && (
          <Link className="link small" to={doors.forgotPassword()}>
            Forgot your password?
          </Link>
        )}
      </form>
      <div className="stack door-others">
        {configuration?.has_google && (
          <Button onClick={() => void go("google_oauth", "", back)}>Continue with Google</Button>
        )}
        {PROVIDERS.map(([method, label]) => (
          <Button key={method} look="ghost" size="sm" onClick={() => setProvider(method)}>
            Sign in with {label}
          </Button>
        ))}
      </div>
    </Door>
  );
}

function ProviderDoor({
  method,
  back,
  onLeave,
}: {
  method: Provider;
  back: string | undefined;
  onLeave: () => void;
}) {
  const [email, setEmail] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const name = PROVIDERS.find(([one]) => one === method)?.[1] ?? "Google";
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await go(method, email.trim(), back);
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  };
  return (
    <Door title={`Sign in with ${name}`} about="Your address tells which organization's provider to ask.">
      <form className="stack door-form" onSubmit={submit}>
        {error !== null && (
          <Banner look="bad">
            <p>{explain(error)}</p>
          </Banner>
        )}
        <Field label="E-mail at work">
          <TextInput
            type="email"
            autoComplete="username"
            required
            autoFocus
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
        </Field>
        <Button look="primary" type="submit" isBusy={isBusy}>
          Continue
        </Button>
        <Button look="ghost" onClick={onLeave}>
          Another way
        </Button>
      </form>
    </Door>
  );
}

const BACK = "tallymark.back";

/** Go to a provider, and remember where to come back to; the provider's answer arrives at a callback. */
export async function go(
  method: Provider,
  email: string,
  back: string | undefined,
  invitation?: string,
): Promise<void> {
  const { data, error, response } = await client.POST("/app/v1/sso/attempts", { body: { method, email } });
  if (!data) throw new ApiError(response.status, error as unknown as Refusal);
  sessionStorage.setItem(BACK, JSON.stringify({ back, invitation }));
  location.assign(data.url);
}

/** What was remembered before going to a provider, once. */
export function takeBack(): { back?: string; invitation?: string } {
  const kept = sessionStorage.getItem(BACK);
  sessionStorage.removeItem(BACK);
  return kept ? (JSON.parse(kept) as { back?: string; invitation?: string }) : {};
}
