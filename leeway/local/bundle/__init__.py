"""One function and every module of ours that it needs, as one Python file: what MLRun and Nuclio deploy."""
