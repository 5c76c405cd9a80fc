"""What the performance page quotes, rerunnable: ``python -m bench``."""
