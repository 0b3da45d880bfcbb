"""How plans and what they charge look on the wire: what is asked, what is answered."""
