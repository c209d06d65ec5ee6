"""The dashboard: pages that read the stores, for whoever was not there."""
