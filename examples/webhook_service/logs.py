"""The log of both processes, on standard error."""

import logging


def set_up_logs() -> None:
    """Log what the service itself says from INFO on, and all else from WARNING on."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("webhook_service").setLevel(logging.INFO)
