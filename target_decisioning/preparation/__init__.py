"""From what the caller gave to what is decided and sent: cookies, identity, location, the prepared request."""
