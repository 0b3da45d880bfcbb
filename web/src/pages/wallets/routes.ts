import { fullPage, shellPage } from "@/app/roots";

export const shell = [shellPage("customer/$customer/wallet/$id/$tab", () => import("./page"), "WalletPage")];

export const full = [
  fullPage("create/wallet", () => import("./editor"), "CreateWallet"),
  fullPage("update/wallet/$id", () => import("./editor"), "UpdateWallet"),
  fullPage("top-up/wallet/$id", () => import("./top-up"), "TopUp"),
];
