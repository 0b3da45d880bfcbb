import { type ErrorComponentProps, Outlet, useRouter } from "@tanstack/react-router";
import { explain } from "@/api/errors";
import { Button, buttonClass, Tally } from "@/ui/basics";
import { Toasts } from "@/ui/toasts";

export function Root() {
  return (
    <>
      <a href="#main" className={`${buttonClass({ look: "primary" })} skip`}>
        Skip to the page
      </a>
      <Outlet />
      <Toasts />
    </>
  );
}

export function RootFault({ error }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <main className="door" id="main">
      <div className="empty">
        <Tally count={0} />
        <h1>Tallymark could not be reached</h1>
        <p>{explain(error)}</p>
        <div className="actions">
          <Button onClick={() => void router.invalidate()}>Try again</Button>
        </div>
      </div>
    </main>
  );
}

export function RootMissing() {
  return (
    <main className="door" id="main">
      <div className="empty">
        <Tally count={0} />
        <h1>There is no such page</h1>
        <p>The address is wrong, or you are no member of this organization.</p>
        <div className="actions">
          <a className={buttonClass()} href="/">
            To the start
          </a>
        </div>
      </div>
    </main>
  );
}
