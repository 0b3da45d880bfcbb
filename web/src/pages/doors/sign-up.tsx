/** The doors of those who want an organization of their own. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { read, useChange } from "@/api/client";
import { ApiError } from "@/api/errors";
import { doors } from "@/app/paths";
import { sessionQuery } from "@/app/session";
import { Button, Tally } from "@/ui/basics";
import { Field, TextInput } from "@/ui/fields";
import { Loaded } from "@/ui/states";
import { Door } from "./door";
import { useEntering } from "./entering";
import { DoorForm, isStrong, LinkOver, MailDoor, NewPassword, toSignIn } from "./parts";
import { go } from "./sign-in";

export function SignUp() {
  const configuration = useQuery(read("/app/v1/configuration"));
  return (
    <Loaded query={configuration} what="The door" skeleton={<Door title="One moment" />}>
      {({ configuration: { is_sign_up_open: isOpen, has_google: hasGoogle } }) =>
        isOpen ? <Asking hasGoogle={hasGoogle} /> : <Closed />
      }
    </Loaded>
  );
}

function Closed() {
  return (
    <Door
      title="Sign-up is closed"
      about="Ask a member of your organization for an invitation."
      foot={toSignIn}
    />
  );
}

function Asking({ hasGoogle }: { hasGoogle: boolean }) {
  const [isByGoogle, setByGoogle] = useState(false);
  const ask = useChange("post", "/app/v1/sign_ups", { isQuiet: true, touches: [] });
  if (isByGoogle) return <ByGoogle onLeave={() => setByGoogle(false)} />;
  return (
    <MailDoor
      title="Make an organization"
      about="A link to confirm your address comes by e-mail."
      ask={ask}
      sent={(email) => (
        <>
          A link to go on is on its way to <b className="med">{email}</b>. It works for 24 hours.
        </>
      )}
      after={<Button onClick={() => ask.reset()}>Use another address</Button>}
      foot={<>Have an account? {toSignIn}</>}
      others={
        hasGoogle && (
          <div className="stack door-others">
            <Button onClick={() => setByGoogle(true)}>Continue with Google</Button>
          </div>
        )
      }
    />
  );
}

function ByGoogle({ onLeave }: { onLeave: () => void }) {
  const [name, setName] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const submit = async () => {
    setBusy(true);
    setError(null);
    try {
      await go("google_oauth", "", { organization: name.trim() });
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  };
  return (
    <Door title="Make an organization" about="Google tells who you are." foot={toSignIn}>
      <DoorForm
        error={error}
        verb="Continue with Google"
        isBusy={isBusy}
        isReady={name.trim() !== ""}
        onSubmit={() => void submit()}
        after={
          <Button look="ghost" onClick={onLeave}>
            By e-mail
          </Button>
        }
      >
        <OrganizationName value={name} onChange={setName} />
      </DoorForm>
    </Door>
  );
}

/** By the link: the address is confirmed. */
export function Confirmed() {
  const { token } = useParams({ strict: false }) as { token: string };
  const enter = useEntering();
  const signUp = useChange("post", "/app/v1/sign_ups/{token}", {
    isQuiet: true,
    touches: [],
    onDone: (answer) => void enter(answer),
  });
  const found = useQuery({
    ...read("/app/v1/sign_ups/{token}", { params: { path: { token } } }),
    retry: false,
    enabled: signUp.isIdle,
  });
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  if (found.error instanceof ApiError && found.error.status === 405) return <Closed />;
  if (found.error instanceof ApiError && found.error.status === 404)
    return <LinkOver again={doors.signUp()} />;
  return (
    <Loaded query={found} what="The link" skeleton={<Door title="One moment" />}>
      {({ sign_up: { email } }) => (
        <Door
          title="Your organization"
          about={
            <>
              You sign in as <b className="med">{email}</b>.
            </>
          }
        >
          <DoorForm
            error={signUp.error}
            verb="Begin"
            isBusy={signUp.isPending}
            isReady={name.trim() !== "" && isStrong(password)}
            onSubmit={() =>
              signUp.mutate({
                params: { path: { token } },
                body: { organization_name: name.trim(), password },
              })
            }
          >
            <OrganizationName value={name} onChange={setName} />
            <NewPassword value={password} onChange={setPassword} />
          </DoorForm>
        </Door>
      )}
    </Loaded>
  );
}

/** One more organization, for whoever has signed in. */
export function NewOrganization() {
  const session = useQuery(sessionQuery);
  if (session.error instanceof ApiError && session.error.status === 401) {
    location.replace(doors.signIn(doors.newOrganization()));
    return null;
  }
  return (
    <Loaded query={session} what="Your account" skeleton={<Door title="One moment" />}>
      {({ user }) =>
        user.may_create_organizations ? (
          <Founding />
        ) : (
          <Door
            title="Nobody makes organizations here"
            about="Whoever runs this Tallymark makes them."
            foot={
              <a className="link" href="/">
                To the start
              </a>
            }
          />
        )
      }
    </Loaded>
  );
}

function Founding() {
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [isLeaving, setLeaving] = useState(false);
  const found = useChange("post", "/app/v1/organizations", {
    isQuiet: true,
    touches: [],
    onDone: ({ membership }) => {
      setLeaving(true);
      queries.clear();
      location.assign(`/${membership.organization.slug}`);
    },
  });
  if (isLeaving) {
    return (
      <Door title="One moment">
        <Tally count={3} />
      </Door>
    );
  }
  return (
    <Door
      title="New organization"
      about="It has customers, plans and members of its own. You are its admin."
      foot={
        <a className="link" href="/">
          Back
        </a>
      }
    >
      <DoorForm
        error={found.error}
        verb="Make it"
        isBusy={found.isPending}
        isReady={name.trim() !== ""}
        onSubmit={() => found.mutate({ body: { name: name.trim() } })}
      >
        <OrganizationName value={name} onChange={setName} />
      </DoorForm>
    </Door>
  );
}

function OrganizationName({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <Field label="Organization" hint="Its name stays as you write it here.">
      <TextInput required autoFocus value={value} onChange={(event) => onChange(event.target.value)} />
    </Field>
  );
}
