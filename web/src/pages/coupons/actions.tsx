import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { CircleStop, Pencil, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { read, type Schema, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan, useNow } from "@/app/session";
import { countWords } from "@/lib/words";
import { ActionMenu, Confirm } from "@/ui/overlays";
import { type Coupon, statusOf } from "./coupon";

interface Props {
  coupon: Coupon;
  trigger?: ReactNode;
  isOnPage?: boolean;
}

/** What can be done with a coupon, from its row and from its page. */
export function CouponActions({ coupon, trigger, isOnPage }: Props) {
  const can = useCan();
  const navigate = useNavigate();
  const now = useNow();
  const [isDeleting, setDeleting] = useState(false);
  const [isEnding, setEnding] = useState(false);
  return (
    <>
      <ActionMenu
        label={`Actions of ${coupon.name}`}
        trigger={trigger}
        actions={[
          {
            label: "Edit coupon",
            icon: <Pencil className="i" aria-hidden="true" />,
            onSelect: () => void navigate({ to: paths.coupons.update(coupon.code) }),
            isShown: can("coupons:update") && !isOnPage,
          },
          {
            label: "End coupon",
            icon: <CircleStop className="i" aria-hidden="true" />,
            onSelect: () => setEnding(true),
            isDanger: true,
            isShown: can("coupons:update") && statusOf(coupon, now) === "active",
          },
          {
            label: "Delete coupon",
            icon: <Trash2 className="i" aria-hidden="true" />,
            onSelect: () => setDeleting(true),
            isDanger: true,
            isShown: can("coupons:delete"),
          },
        ]}
      />
      {isEnding && <EndCoupon coupon={coupon} onClose={() => setEnding(false)} />}
      {isDeleting && <DeleteCoupon coupon={coupon} onClose={() => setDeleting(false)} isOnPage={isOnPage} />}
    </>
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
  const navigate = useNavigate();
  const params = { path: { code: coupon.code } };
  const counted = useQuery(read("/app/v1/consequences/coupons/{code}", { params }));
  const remove = useChange("delete", "/api/v1/coupons/{code}", {
    done: "Coupon deleted",
    touches: isOnPage ? [] : ["/api/v1/coupons"],
    onDone: () => {
      onClose();
      if (isOnPage) void navigate({ to: paths.coupons.list() });
    },
  });
  return (
    <Confirm
      isOpen
      title={`Delete the coupon “${coupon.name}”?`}
      verb="Delete coupon"
      isBusy={remove.isPending}
      onClose={onClose}
      onConfirm={() => remove.mutate({ params })}
    >
      {counted.data ? (
        <Consequence {...counted.data.consequences} />
      ) : (
        <p>{counted.error ? "Whoever has it loses it." : "Counting what it touches …"}</p>
      )}
    </Confirm>
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
