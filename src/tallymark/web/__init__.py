"""The web app: what its build leaves in `dist/`, and how that is served."""
