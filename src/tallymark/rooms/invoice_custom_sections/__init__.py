"""What is printed on invoices besides their lines: custom sections, and who selects them."""
