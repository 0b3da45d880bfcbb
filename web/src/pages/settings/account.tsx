import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useChange } from "@/api/client";
import { sessionQuery, useMembership, useSignOut, useUser } from "@/app/session";
import { capital } from "@/lib/words";
import { isStrong, NewPassword, PasswordField, Refused } from "@/pages/doors/parts";
import { Button, Facts, Section } from "@/ui/basics";
import { Settings } from "./layout";

const METHODS: Record<string, string> = {
  email_password: "a password",
  google_oauth: "Google",
  okta: "Okta",
  entra_id: "Microsoft Entra ID",
  oidc: "your provider",
};

export function Account() {
  const user = useUser();
  const { roles } = useMembership();
  const signOut = useSignOut();
  return (
    <Settings title="Your account">
      <Section
        title="You"
        actions={
          <Button size="sm" onClick={() => void signOut()}>
            Sign out
          </Button>
        }
      >
        <Facts
          facts={[
            ["E-mail", user.email],
            ["Signed in with", METHODS[user.login_method] ?? user.login_method],
            ["Roles here", roles.map(capital).join(", ")],
            ["Organizations", user.memberships.map((one) => one.organization.name).join(", ")],
          ]}
        />
      </Section>
      {user.has_password && <PasswordSection />}
    </Settings>
  );
}

function PasswordSection() {
  const queries = useQueryClient();
  const [password, setPassword] = useState("");
  const [next, setNext] = useState("");
  const change = useChange("put", "/app/v1/password", {
    done: "Password changed; you are signed out everywhere else",
    isQuiet: true,
    touches: [],
    onDone: (answer) => {
      queries.setQueryData(sessionQuery.queryKey, answer);
      setPassword("");
      setNext("");
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate({ body: { password, new_password: next } });
  };
  return (
    <Section title="Password">
      <form className="settings-form" onSubmit={submit}>
        <Refused error={change.error} />
        <PasswordField label="Now" value={password} onChange={setPassword} />
        <NewPassword label="New password" value={next} onChange={setNext} />
        <div className="row">
          <Button
            look="primary"
            type="submit"
            isBusy={change.isPending}
            disabled={!password || !isStrong(next)}
          >
            Change password
          </Button>
        </div>
      </form>
    </Section>
  );
}
