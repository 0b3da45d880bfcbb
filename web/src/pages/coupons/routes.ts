import { fullPage, shellPage } from "@/app/roots";

const form = () => import("./form");

export const shell = [
  shellPage("coupons", () => import("./list"), "Coupons"),
  shellPage("coupon/$id/$tab", () => import("./details"), "CouponDetails"),
];

export const full = [
  fullPage("create/coupon", form, "CreateCoupon"),
  fullPage("update/coupon/$id", form, "UpdateCoupon"),
];
