import { useState } from "react";
import { useChange } from "@/api/client";
import { ApiError, explain } from "@/api/errors";
import { Banner, Button, buttonClass, Copy } from "@/ui/basics";
import { Dialog, FormButtons } from "@/ui/overlays";
import { providerName } from "./kinds";

interface Props {
  customer: { external_id: string; name: string; provider: string };
  onClose: () => void;
}

/** Makes a page of the provider's on which the customer leaves a method; its address is for them. */
export function AskForMethod({ customer, onClose }: Props) {
  const [url, setUrl] = useState<string | null>(null);
  const make = useChange("post", "/api/v1/customers/{external_id}/checkout_url", {
    touches: [],
    isQuiet: true,
    onDone: (answer) => setUrl((answer as { customer: { checkout_url: string } }).customer.checkout_url),
  });
  const provider = providerName(customer.provider);
  const isKeyRefused = make.error instanceof ApiError && make.error.status === 401;
  return (
    <Dialog
      title={`Add a payment method of ${customer.name}`}
      isOpen
      onClose={onClose}
      width={520}
      footer={
        url ? (
          <>
            <Button onClick={onClose}>Close</Button>
            <a className={buttonClass({ look: "primary" })} href={url} target="_blank" rel="noreferrer">
              Open page
            </a>
          </>
        ) : (
          <FormButtons
            onCancel={onClose}
            isBusy={make.isPending}
            onSave={() => make.mutate({ params: { path: { external_id: customer.external_id } } })}
          >
            Make link
          </FormButtons>
        )
      }
    >
      {make.error && (
        <Banner look="bad">
          {isKeyRefused
            ? `${provider} lets nobody in by the connection’s key any more. Enter another one at Settings → Integrations.`
            : explain(make.error)}
        </Banner>
      )}
      {url ? (
        <>
          <p className="ink2">
            Send this address to the customer. What they leave there shows up here by itself.
          </p>
          <Copy text={url} what="link" />
        </>
      ) : (
        <p className="ink2">
          {provider} makes a page on which the customer leaves a card or an account. Nobody types it in here.
          {customer.provider === "moneyhash" &&
            " They pay 5.00 there, or have it held, as the account’s flow says."}
        </p>
      )}
    </Dialog>
  );
}
