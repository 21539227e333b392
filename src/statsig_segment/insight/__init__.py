"""What can be asked about traffic before and after the integration is switched on."""
