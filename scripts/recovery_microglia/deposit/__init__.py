"""What lies in a deposit, and how it comes here: addresses, downloads, archives, descriptions."""
