// What the pages' policy lets no attribute do: a choice that leads somewhere.
document.addEventListener("change", (event) => {
  if (event.target.matches("select[data-office-goes]")) window.location = event.target.value;
});
