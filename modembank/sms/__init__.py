"""SMS and USSD, pure: PDUs, user data and +CUSD strings into records, and back."""
