/** Doors for those who are new, or have lost their key. */
import { useQuery } from "@tanstack/react-query";
import { useParams, useSearch } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { read, useChange } from "@/api/client";
import { ApiError, explain } from "@/api/errors";
import { doors } from "@/app/paths";
import { queries } from "@/app/queries";
import { findUser } from "@/app/session";
import { Button, Tally } from "@/ui/basics";
import { Loaded } from "@/ui/states";
import { Door } from "./door";
import { useEntering } from "./entering";
import {
  DoorForm,
  EmailField,
  isStrong,
  LinkOver,
  MailDoor,
  NewPassword,
  PasswordField,
  toSignIn,
  useCredentials,
  useOnce,
} from "./parts";
import { leaveFor, takeBack } from "./sign-in";

export function Welcome() {
  const { token } = useParams({ strict: false }) as { token: string };
  const enter = useEntering();
  const welcome = useChange("post", "/app/v1/welcome", {
    isQuiet: true,
    touches: [],
    onDone: (answer) => void enter(answer),
  });
  const check = useQuery({
    ...read("/app/v1/welcome/{token}", { params: { path: { token } } }),
    retry: false,
    enabled: welcome.isIdle, // once it is used, the link is gone
  });
  const { email, password, typed } = useCredentials();
  if (isRefused(check.error)) {
    return (
      <Door
        title="This link has been used"
        about="The first user is there. Sign in, or ask for an invitation."
        foot={toSignIn}
      />
    );
  }
  return (
    <Door
      title="Welcome to Tallymark"
      about="You are the first here: choose how you sign in, and everything is yours to set up."
    >
      <DoorForm
        error={welcome.error}
        verb="Begin"
        isBusy={welcome.isPending}
        isReady={isStrong(typed.password) && !check.isPending}
        onSubmit={() => welcome.mutate({ body: { token, ...typed } })}
      >
        <EmailField {...email} isFirst />
        <NewPassword {...password} />
      </DoorForm>
    </Door>
  );
}

/** Whether the server said no; what did not come through may be asked for again. */
function isRefused(error: unknown): boolean {
  return error instanceof ApiError && error.status < 500;
}

export function ForgotPassword() {
  const ask = useChange("post", "/app/v1/password_resets", { isQuiet: true, touches: [] });
  return (
    <MailDoor
      title="Another password"
      about="A link to set it comes by e-mail."
      ask={ask}
      sent={(email) =>
        `If ${email} belongs to somebody here, a link to another password is on its way. It works for half an hour.`
      }
      foot={toSignIn}
    />
  );
}

export function ResetPassword() {
  const { token } = useParams({ strict: false }) as { token: string };
  const enter = useEntering();
  const reset = useChange("put", "/app/v1/password_resets", {
    isQuiet: true,
    touches: [],
    onDone: (answer) => void enter(answer),
  });
  const check = useQuery({
    ...read("/app/v1/password_resets/{token}", { params: { path: { token } } }),
    retry: false,
    enabled: reset.isIdle, // once it is used, the link is gone
  });
  const [password, setPassword] = useState("");
  if (isRefused(check.error)) return <LinkOver again={doors.forgotPassword()} />;
  return (
    <Door title="Set your password">
      <DoorForm
        error={reset.error}
        verb="Set and sign in"
        isBusy={reset.isPending}
        isReady={isStrong(password)}
        onSubmit={() => reset.mutate({ body: { token, new_password: password } })}
      >
        <NewPassword value={password} onChange={setPassword} label="New password" />
      </DoorForm>
    </Door>
  );
}

export function Invitation() {
  const { token } = useParams({ strict: false }) as { token: string };
  const found = useQuery({
    ...read("/app/v1/invitations/{token}", { params: { path: { token } } }),
    retry: false,
  });
  if (found.error instanceof ApiError && found.error.status === 404) {
    return (
      <Door
        title="This invitation is over"
        about="It was used or taken back. Ask for another one."
        foot={toSignIn}
      />
    );
  }
  return (
    <Loaded query={found} what="The invitation" skeleton={<Door title="One moment" />}>
      {({ invitation }) => <Joining token={token} {...invitation} />}
    </Loaded>
  );
}

interface Invited {
  token: string;
  email: string;
  organization_name: string;
  authentication_methods: string[];
}

function Joining({ token, email, organization_name, authentication_methods }: Invited) {
  const enter = useEntering();
  const [password, setPassword] = useState("");
  const join = useChange("post", "/app/v1/invitations/{token}", {
    isQuiet: true,
    touches: [],
    onDone: async () => {
      queries.clear();
      const user = await findUser(queries);
      if (user) await enter({ user });
    },
  });
  return (
    <Door
      title={`Join ${organization_name}`}
      about={
        <>
          As <b className="med">{email}</b>. If you have an account with this address, enter its password.
        </>
      }
    >
      {authentication_methods.includes("email_password") && (
        <DoorForm
          error={join.error}
          verb="Join"
          isBusy={join.isPending}
          onSubmit={() => join.mutate({ params: { path: { token } }, body: { password } })}
        >
          <PasswordField
            value={password}
            onChange={setPassword}
            hint="A new account is made with it where the address has none."
          />
        </DoorForm>
      )}
      <div className="stack door-others">
        {authentication_methods
          .filter((method) => method !== "email_password")
          .map((method) => (
            <Button key={method} onClick={() => leaveFor(method as "okta", email, { invitation: token })}>
              Join with {NAMES[method] ?? method}
            </Button>
          ))}
      </div>
    </Door>
  );
}

const NAMES: Record<string, string> = {
  google_oauth: "Google",
  okta: "Okta",
  entra_id: "Microsoft Entra ID",
  oidc: "your provider",
};

/** Where a provider sends people back to: on to the session, then to where they wanted to go. */
export function Callback() {
  const { code, state, error: refused } = useSearch({ strict: false }) as Record<string, string | undefined>;
  const enter = useEntering();
  const kept = useRef<ReturnType<typeof takeBack> | null>(null);
  const { mutate, error } = useChange("post", "/app/v1/sso/sessions", {
    isQuiet: true,
    touches: [],
    onDone: (answer) => void enter(answer, kept.current?.back),
  });
  useOnce(() => {
    kept.current = takeBack();
    mutate({
      body: {
        code: String(code ?? ""),
        state: String(state ?? ""),
        invite_token: kept.current.invitation ?? null,
        organization_name: kept.current.organization ?? null,
      },
    });
  }, !refused);
  if (error || refused) {
    return (
      <Door
        title="You are not signed in"
        about={refused ? "The provider refused." : explain(error)}
        foot={toSignIn}
      />
    );
  }
  return (
    <Door title="Signing in">
      <Tally count={3} />
    </Door>
  );
}

/** Where the back office sends staff who look in as a member. */
export function Visit() {
  const { token } = useParams({ strict: false }) as { token: string };
  const enter = useEntering();
  const { mutate, error } = useChange("post", "/app/v1/visits", {
    isQuiet: true,
    touches: [],
    onDone: (answer) => void enter(answer),
  });
  useOnce(() => mutate({ body: { token } }));
  if (error) {
    return (
      <Door
        title="This link is over"
        about="It was used, or its minute is up. Look in again from the back office."
        foot={toSignIn}
      />
    );
  }
  return (
    <Door title="Looking in">
      <Tally count={3} />
    </Door>
  );
}
