/** What a customer has to do before a payment is made, with the page on which it is done: to be opened, or sent to them. */
import { Copy } from "@/ui/basics";
import { actionWords, pageOf } from "./next-action";

export function ToBeDone({ action }: { action: Record<string, unknown> }) {
  const words = actionWords(action);
  const page = pageOf(action);
  if (!words) return null;
  if (!page) return <>{words}.</>;
  return (
    <>
      {words} on a page of the provider’s:{" "}
      <a className="link" href={page} target="_blank" rel="noreferrer">
        Open page
      </a>{" "}
      <Copy text={page} what="link for the customer">
        Copy link
      </Copy>
    </>
  );
}
