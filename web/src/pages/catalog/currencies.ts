/** Currencies that forms offer, the most used first. */
export const CURRENCIES =
  "EUR USD GBP CHF SEK NOK DKK PLN CZK HUF RON CAD AUD NZD JPY CNY HKD SGD INR BRL MXN ZAR AED ILS KRW KWD TRY".split(
    " ",
  );
