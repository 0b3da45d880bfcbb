"""One folder per resource, each with the same few files; docs/ARCHITECTURE.md draws their floors."""
