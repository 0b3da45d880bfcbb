"""What operators see of a running Tallymark: its metrics, and the listener that answers inside of their network only."""

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Where the processes of a crew leave what they count; Prometheus' library looks for it when it is first read."""
