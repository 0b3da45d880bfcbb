"""Single sign-on: the identity providers of organizations, and how people come in by them."""
