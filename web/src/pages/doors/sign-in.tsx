import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { client, read, useChange } from "@/api/client";
import { ApiError, explain, type Refusal } from "@/api/errors";
import { doors } from "@/app/paths";
import { Button } from "@/ui/basics";
import { notify } from "@/ui/toasts";
import { Door } from "./door";
import { useEntering } from "./entering";
import { DoorForm, EmailField, PasswordField, useCredentials } from "./parts";

type Provider = "google_oauth" | "okta" | "entra_id" | "oidc";

const PROVIDERS: [method: Provider, label: string][] = [
  ["okta", "Okta"],
  ["entra_id", "Microsoft Entra ID"],
  ["oidc", "another provider"],
];

export function SignIn() {
  const { back, closed } = useSearch({ strict: false }) as { back?: string; closed?: string };
  const enter = useEntering();
  const configuration = useQuery(read("/app/v1/configuration")).data?.configuration;
  const logIn = useChange("post", "/app/v1/session", {
    isQuiet: true,
    touches: [],
    onDone: (answer) => void enter(answer, back),
  });
  const { email, password, typed } = useCredentials();
  const [provider, setProvider] = useState<Provider | null>(null);

  if (provider) return <ProviderDoor method={provider} back={back} onLeave={() => setProvider(null)} />;

  return (
    <Door
      title={closed === undefined ? "Sign in" : "Sign in another way"}
      about={
        closed !== undefined && (
          <>
            <b className="med">{closed}</b> does not let its members in by the way in which you signed in.
          </>
        )
      }
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
      <DoorForm
        error={logIn.error}
        verb="Sign in"
        isBusy={logIn.isPending}
        onSubmit={() => logIn.mutate({ body: typed })}
        after={
          configuration?.sends_emails && (
            <Link className="link small" to={doors.forgotPassword()}>
              Forgot your password?
            </Link>
          )
        }
      >
        <EmailField {...email} isFirst />
        <PasswordField {...password} />
      </DoorForm>
      <div className="stack door-others">
        {configuration?.has_google && (
          <Button onClick={() => leaveFor("google_oauth", "", { back })}>Continue with Google</Button>
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
  const submit = async () => {
    setBusy(true);
    setError(null);
    try {
      await go(method, email.trim(), { back });
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  };
  return (
    <Door title={`Sign in with ${name}`} about="Your address tells which organization's provider to ask.">
      <DoorForm
        error={error}
        verb="Continue"
        isBusy={isBusy}
        onSubmit={() => void submit()}
        after={
          <Button look="ghost" onClick={onLeave}>
            Another way
          </Button>
        }
      >
        <EmailField value={email} onChange={setEmail} label="E-mail at work" isFirst />
      </DoorForm>
    </Door>
  );
}

const BACK = "tallymark.back";

/** What somebody takes along to a provider and brings back: where to go then, an invitation, the organization that they want. */
interface Luggage {
  back?: string;
  invitation?: string;
  organization?: string;
}

/** Go to a provider, and remember what is taken along; the provider's answer arrives at a callback. */
export async function go(method: Provider, email: string, luggage: Luggage): Promise<void> {
  const { data, error, response } = await client.POST("/app/v1/sso/attempts", { body: { method, email } });
  if (!data) throw new ApiError(response.status, error as unknown as Refusal);
  sessionStorage.setItem(BACK, JSON.stringify(luggage));
  location.assign(data.url);
}

/** The same, from a button: what hinders it is told. */
export function leaveFor(...way: Parameters<typeof go>): void {
  go(...way).catch((refused: unknown) => notify.failed(explain(refused)));
}

/** What was remembered before going to a provider, once. */
export function takeBack(): Luggage {
  const kept = sessionStorage.getItem(BACK);
  sessionStorage.removeItem(BACK);
  return kept ? (JSON.parse(kept) as Luggage) : {};
}
