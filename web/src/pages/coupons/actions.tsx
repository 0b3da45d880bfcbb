/** What can be done with a coupon, from its row and from its page. */
import { useQuery } from "@tanstack/react-query";
import { CircleStop } from "lucide-react";
import { read, type Schema, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan, useNow } from "@/app/session";
import { countWords } from "@/lib/words";
import { CatalogActions, Deletion, type Place, useRemoval } from "@/pages/catalog/actions";
import { Confirm } from "@/ui/overlays";
import { type Coupon, statusOf } from "./coupon";

interface Props extends Place {
  coupon: Coupon;
}

export function CouponActions({ coupon, ...place }: Props) {
  const can = useCan();
  const now = useNow();
  return (
    <CatalogActions
      what="coupon"
      name={coupon.name}
      id={coupon.lago_id}
      update={can("coupons:update") && paths.coupons.update(coupon.code)}
      more={[
        {
          label: "End coupon",
          icon: <CircleStop className="i" aria-hidden="true" />,
          isDanger: true,
          isShown: can("coupons:update") && statusOf(coupon, now) === "active",
          dialog: (close) => <EndCoupon coupon={coupon} onClose={close} />,
        },
      ]}
      deletion={
        can("coupons:delete") &&
        ((close) => <DeleteCoupon coupon={coupon} onClose={close} isOnPage={place.isOnPage} />)
      }
      {...place}
    />
  );
}

function EndCoupon({ coupon, onClose }: { coupon: Coupon; onClose: () => void }) {
  const query = { "coupon_code[]": [coupon.code], status: "active", per_page: "1" } as never;
  const holders = useQuery(read("/api/v1/applied_coupons", { params: { query } }));
  const end = useChange("post", "/app/v1/coupons/{code}/terminate", {
    done: "Coupon ended",
    touches: ["/api/v1/coupons"],
    onDone: onClose,
  });
  const count = holders.data?.meta.total_count;
  return (
    <Confirm
      isOpen
      title={`End the coupon “${coupon.name}”?`}
      verb="End coupon"
      isBusy={end.isPending}
      onClose={onClose}
      onConfirm={() => end.mutate({ params: { path: { code: coupon.code } } })}
    >
      <p>
        Nobody gets it any more, for good.{" "}
        {count === undefined
          ? "Whoever has it keeps it."
          : count === 0
            ? "Nobody has it now."
            : `${countWords(count, "customer")} ${count === 1 ? "has it and keeps" : "have it and keep"} it.`}
      </p>
    </Confirm>
  );
}

function DeleteCoupon({ coupon, onClose, isOnPage }: Props & { onClose: () => void }) {
  const params = { path: { code: coupon.code } };
  const counted = useQuery(read("/app/v1/consequences/coupons/{code}", { params }));
  const removal = useRemoval({
    done: "Coupon deleted",
    own: "/api/v1/coupons",
    list: paths.coupons.list(),
    isOnPage,
    onClose,
  });
  const remove = useChange("delete", "/api/v1/coupons/{code}", removal);
  return (
    <Deletion
      what="coupon"
      name={coupon.name}
      counted={counted}
      otherwise="Whoever has it loses it."
      isBusy={remove.isPending}
      onClose={onClose}
      onConfirm={() => remove.mutate({ params })}
    >
      {({ consequences }) => <Consequence {...consequences} />}
    </Deletion>
  );
}

function Consequence(found: Schema<"CouponDeletionOutput">) {
  if (found.applied_coupons_count === 0) return <p>Nobody has it. What it took off invoices stays.</p>;
  return (
    <p>
      <b>{countWords(found.customers_count, "customer")}</b> {found.customers_count === 1 ? "loses" : "lose"}{" "}
      it from the next invoice on. What it took off invoices stays.
    </p>
  );
}
